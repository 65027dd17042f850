"""Reads fields from a YAML or JSON file; the form interprets the values."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pao.app.cli.exits import CliError, ExitCode
from pao.core.strict_json import read_json

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class FieldFile:
    """The fields in a file, and those that are still unanswered.

    ``unreadable`` says what is wrong with texts that are not valid values.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    unanswered: tuple[str, ...] = ()
    unreadable: dict[str, list[str]] = field(default_factory=dict)


def read_config(path: Path) -> dict[str, Any]:
    """Read fields from a YAML or JSON file: a mapping of names to values."""
    return read_field_file(path).fields


def read_field_file(path: Path) -> FieldFile:
    """Read a YAML or JSON file: a mapping of names to values, or saved answers.

    ``-`` means standard input. YAML is read as in the catalog (1.2: ``no`` and ``2026-01-31``
    are texts). The body of POST /requests (with ``fields`` in it) is understood as well.
    """
    content = _read_bytes(path)
    file_name = "standard input" if path == STANDARD_INPUT else str(path)
    is_json = path.suffix == ".json" or (path == STANDARD_INPUT and content.lstrip()[:1] == b"{")
    document = _json_document(content, file_name) if is_json else _yaml_document(content, file_name)
    unanswered: Any = ()
    if isinstance(document, dict) and "catalogItemId" in document:
        unanswered = document.get("unanswered")
        document = document.get("fields", {})
    if not isinstance(document, dict):
        raise CliError(
            f"{file_name} contains no fields; write one `name: value` per line",
            exit_code=ExitCode.USAGE,
        )
    _require_text(file_name, document)
    names = unanswered if isinstance(unanswered, list) else ()
    return FieldFile(document, tuple(str(name) for name in names))


def _require_text(file_name: str, document: dict[str, Any]) -> None:
    """Raise for unpaired surrogates, which JSON can escape but which cannot be sent."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CliError(
            f"{file_name} contains an unpaired surrogate ({error.object[error.start]!a})",
            exit_code=ExitCode.USAGE,
        ) from error


def _yaml_document(content: bytes, file_name: str) -> Any:
    from catalog.loading import DocumentError, load_document  # noqa: PLC0415 -- YAML: 0.1 s

    try:
        return load_document(content, file=file_name).data
    except DocumentError as error:
        raise CliError(f"Cannot read the fields: {error}", exit_code=ExitCode.USAGE) from error


def _json_document(content: bytes, file_name: str) -> Any:
    try:
        return read_json(content.decode("utf-8-sig"))
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise CliError(f"Cannot read the fields: {file_name}: {reason}", exit_code=ExitCode.USAGE)


def _read_bytes(path: Path) -> bytes:
    """Read a file or pipe, at most one byte more than a document may have."""
    from catalog.loading import MAX_BYTES  # noqa: PLC0415 -- as above

    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise CliError(f"{path} cannot be read: {reason}", exit_code=ExitCode.USAGE) from error
