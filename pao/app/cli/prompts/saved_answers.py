"""Answers saved as a file for ``--config``, so that nothing that was typed is lost."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

_MAX_NAMES = 1_000


@dataclass(frozen=True, slots=True)
class SavedAnswers:
    """The content of the file; ``unanswered`` are the fields to ask for when it is used."""

    item: str
    fields: Mapping[str, Any]
    unanswered: Iterable[str]


def suggested_names(item: str) -> Iterator[Path]:
    """Yield names for a new file: here, in the home folder, and in that of temporary files."""
    yield _unused_path(item, Path())
    for folder in (Path.home(), Path(gettempdir())):
        yield _unused_path(item, folder)


def _unused_path(item: str, folder: Path) -> Path:
    """Return a name that does not exist in the folder: ``ITEM.json``, else ``ITEM-2.json``."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "-", item).strip(".-") or "answers"
    names = [f"{stem}.json", *(f"{stem}-{number}.json" for number in range(2, _MAX_NAMES))]
    return next(path for name in names if not os.path.lexists(path := folder / name))


def write(saved: SavedAnswers, path: Path) -> None:
    """Write a new file that only its owner can read; raises ``OSError``, also where it exists."""
    document = {
        "catalogItemId": saved.item,
        "fields": dict(saved.fields),
        "unanswered": list(saved.unanswered),
    }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # An unpaired surrogate cannot be sent either, and would make the whole file unreadable.
    content = (text + "\n").encode(errors="replace")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
