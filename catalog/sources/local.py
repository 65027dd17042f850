"""A catalog in a local folder: finds its files, reads each, keeps the good ones."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.loading import MAX_BYTES, DocumentError, load_document
from catalog.model import CatalogDocument
from catalog.validation import ActionSchema, Finding, Severity, judge

_SUFFIXES = frozenset({".yaml", ".yml"})
_MAX_FOLDERS = 8


@dataclass(frozen=True, slots=True)
class LoadedItem:
    """An item or bundle that can be served: parsed, as plain data, and where it comes from.

    ``file_path`` is relative to the folder; ``sha`` is the id that Git gives this content.
    """

    item: CatalogDocument
    definition: dict[str, Any]
    file_path: str
    sha: str


@dataclass(frozen=True, slots=True)
class LoadedCatalog:
    """What a folder holds: the items by id, and what is wrong with the files.

    ``refused`` are the errors (their files are left out), ``remarks`` the warnings and suggestions.
    """

    items: dict[str, LoadedItem] = field(default_factory=dict)
    refused: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)


def load_folder(path: Path, known_actions: Mapping[str, ActionSchema]) -> LoadedCatalog:
    """Load every document of a folder; one bad file never blocks the others.

    The folder is the catalog itself or a repository that holds it as ``catalog/``. Links that lead
    out of it are not followed. Raises ``FileNotFoundError`` where there is no such folder.
    """
    root = _catalog_root(path)
    catalog = LoadedCatalog()
    loaded: dict[str, list[LoadedItem]] = {}
    for file in _documents(root):
        found, findings = load_file(file, root, known_actions)
        for finding in findings:
            error = finding.severity is Severity.ERROR
            (catalog.refused if error else catalog.remarks).append(finding)
        if found:
            loaded.setdefault(found.item.id, []).append(found)
    for candidates in loaded.values():
        _keep_one(catalog, candidates)
    return catalog


def load_file(
    file: Path, root: Path, known_actions: Mapping[str, ActionSchema]
) -> tuple[LoadedItem | None, tuple[Finding, ...]]:
    """Load one document; the item is None where a finding is an error."""
    name = file.relative_to(root).as_posix()
    try:
        content = _read(file, name)
        verdict = judge(load_document(content, file=name), known_actions)
    except DocumentError as error:
        return None, (_unreadable(error),)
    if verdict.item is None:
        return None, verdict.findings
    item = LoadedItem(verdict.item, verdict.definition, name, blob_id(content))
    return item, verdict.findings


def blob_id(content: bytes) -> str:
    """Give the id that Git gives this content (``git hash-object``): 40 hexadecimal digits."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _catalog_root(path: Path) -> Path:
    root = path.resolve()
    if not root.is_dir():
        raise FileNotFoundError(f"{path} is no folder; name the folder that holds the catalog")
    inner = root / "catalog"
    return inner if inner.is_dir() and not inner.is_symlink() else root


def _documents(root: Path) -> Iterator[Path]:
    """Give the YAML files in the order of their names; hidden ones and those outside are not."""
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        deep = len(here.relative_to(root).parts) >= _MAX_FOLDERS
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = here / name
            if file.suffix in _SUFFIXES and not name.startswith(".") and _is_inside(file, root):
                yield file


def _is_inside(file: Path, root: Path) -> bool:
    return not file.is_symlink() or file.resolve().is_relative_to(root)


def _read(file: Path, name: str) -> bytes:
    try:
        # A pipe or device would keep the reader waiting for ever.
        if not stat.S_ISREG(file.stat().st_mode):
            raise DocumentError(name, 1, 1, "this is no regular file")
        with file.open("rb") as stream:
            # One byte more than is allowed, so that the limit is noticed and memory stays bounded.
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise DocumentError(name, 1, 1, f"the file cannot be read: {reason}") from None


def _keep_one(catalog: LoadedCatalog, candidates: list[LoadedItem]) -> None:
    """Keep the file that is named after the id; the other files with this id are refused."""
    rightful = [one for one in candidates if _is_named_after(one)]
    kept = candidates if len(candidates) == 1 else rightful if len(rightful) == 1 else []
    for one in kept:
        catalog.items[one.item.id] = one
    for one in candidates:
        if one not in kept:
            others = ", ".join(other.file_path for other in candidates if other is not one)
            catalog.refused.append(_duplicate(one, others))


def _is_named_after(loaded: LoadedItem) -> bool:
    expected = f"{loaded.item.category}/{loaded.item.id}"
    return loaded.file_path.removesuffix(Path(loaded.file_path).suffix) == expected


def _duplicate(loaded: LoadedItem, others: str) -> Finding:
    return Finding(
        file=loaded.file_path,
        line=1,
        column=1,
        path="$.metadata.id",
        rule="duplicate-item",
        severity=Severity.ERROR,
        message=f"the item id {loaded.item.id!r} is also in {others}",
        hint="give one of them another id",
    )


def _unreadable(error: DocumentError) -> Finding:
    return Finding(
        file=error.file,
        line=error.line,
        column=error.column,
        path="$",
        rule="yaml",
        severity=Severity.ERROR,
        message=error.message,
    )
