"""Reads field values from the command line, as the item's form defines them.

catalog/forms/reading.py interprets texts; this module adds the notations of a command line:
``NAME=VALUE``, ``@FILE``, and files by their path.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pao.app.cli.exits import CliError, ExitCode

if TYPE_CHECKING:
    from catalog.forms import FieldDefinition, Form

_REPEATED = "given more than once; only a multiselect takes several values"
# A body has at most 1 MB, and a file in it grows by a third.
_MAX_FILE_BYTES = 750_000
# For these @ is not a file: a choice may begin with it, and a file is given by its path anyway.
_LITERAL_TYPES = frozenset({"select", "multiselect", "file"})


def read_form(document: Mapping[str, Any]) -> "Form":
    """Return the form in an answer of GET /catalog/items/{id}/schema."""
    from pydantic import ValidationError  # noqa: PLC0415 -- forms take 0.3 s to load

    from catalog.forms import Form, FormError  # noqa: PLC0415 -- as above
    from catalog.forms.ui_schema import read_ui_schema  # noqa: PLC0415 -- as above

    try:
        return Form(read_ui_schema(document.get("form", document)))
    except (FormError, ValidationError) as error:
        raise CliError(
            "This version of pao cannot read the form of the item",
            exit_code=ExitCode.USAGE,
            details=(str(error).partition("\n")[0],),
            hint="Install the version of the service; `pao version` shows both.",
        ) from error


def parse_assignments(
    assignments: Iterable[str], form: "Form", unreadable: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    """Read every ``key=value`` by the form; all that cannot be read is reported at once.

    A field that the form does not have is sent as text: the server reports it. A multiselect may be
    given several times, any other field once. ``unreadable``, if given, receives the errors of
    texts that cannot be read, which are then kept as texts.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator or not name:
            problems.append(f"{assignment!r}: write it as name=value")
            continue
        try:
            value = _read_assignment(form.fields[name], text) if name in form.fields else text
        except ValueError as error:
            if unreadable is None:
                problems.append(f"{name}: {error}")
                continue
            value = text
            unreadable[name] = [f"{form.fields[name].label}: {error}"]
        if name not in values:
            values[name] = value
        elif isinstance(value, list) and form.fields[name].type == "multiselect":
            values[name] = [*values[name], *value]
        elif f"{name}: {_REPEATED}" not in problems:
            problems.append(f"{name}: {_REPEATED}")
    if problems:
        raise CliError(
            "Some --field values cannot be read",
            exit_code=ExitCode.USAGE,
            details=tuple(problems),
        )
    return values


def _read_assignment(field: "FieldDefinition", text: str) -> Any:
    """Read a value of the command line; ``@path`` means the content of a file.

    A value that begins with @ itself is written @@.
    """
    if not text.startswith("@") or field.type in _LITERAL_TYPES:
        return read_value(field, text)
    if text.startswith("@@"):
        return read_value(field, text[1:])
    return read_value(field, read_text_file(text[1:]))


def read_value(field: "FieldDefinition", text: str) -> Any:
    """Return the value of a text in a field; a file is read. Raises ``ValueError``."""
    from catalog.forms.reading import read  # noqa: PLC0415 -- see read_form

    return _read_file_value(field, text) if field.type == "file" else read(field, text)


def read_text_file(path: str) -> str:
    """Return the text in a file, without the line end of its last line; raises ``ValueError``."""
    try:
        content = _read_bytes(Path(path)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except ValueError as error:
        raise ValueError(f"{error}; write @@ for a value that begins with @") from None
    # Editors end the last line of a file, too; the value does not include that line end.
    return content.removesuffix("\n").removesuffix("\r")


def _read_file_value(field: "FieldDefinition", text: str) -> str:
    from catalog.forms.files import file_value  # noqa: PLC0415 -- see read_form

    if text.startswith("data:"):
        return text
    path = Path(text.removeprefix("@"))
    return file_value(field, _read_bytes(path), name=path.name)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as stream:
            content = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if len(content) > _MAX_FILE_BYTES:
        raise ValueError(f"{path} is larger than the service accepts ({_MAX_FILE_BYTES:,} bytes)")
    return content
