"""Field values from the command line or a person, typed by the item's own form.

Whether a value is good is the server's to say: here a text only becomes a number, a list, a file.
"""

import base64
import json
import math
import mimetypes
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pao.app.cli.exits import CliError, ExitCode

_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_TWICE = "given more than once; only a multiselect takes several values"
_FALSE = frozenset({"false", "no", "n", "off", "0"})
_SHOWN = 80
# A body has at most 1 MB, and a file in it grows by a third.
_LARGEST_FILE = 750_000


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form as the API describes it, with the conditions of its group."""

    id: str
    label: str
    type: str
    required: bool = False
    default: Any = None
    description: str | None = None
    placeholder: str | None = None
    choices: tuple[tuple[Any, str], ...] = ()
    conditions: tuple[Mapping[str, Any], ...] = ()


def read_form(document: Mapping[str, Any]) -> list[FormField]:
    """Read the answer of GET /catalog/items/{id}/schema, in the order of the form."""
    form = document.get("form", document)
    return [
        _read_field(field, group)
        for group in form.get("groups", ())
        for field in group.get("fields", ())
    ]


def parse_assignments(assignments: Iterable[str], form: Iterable[FormField]) -> dict[str, Any]:
    """Type every ``key=value`` by the form; all that cannot be typed is reported at once.

    A field that the form does not have is sent as text: the server says what is wrong with it.
    A multiselect may be given several times, any other field once.
    """
    fields = {field.id: field for field in form}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator or not name:
            problems.append(f"{assignment!r}: write it as name=value")
            continue
        try:
            value = _assigned(fields[name], text) if name in fields else text
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        if name not in values:
            values[name] = value
        elif isinstance(value, list) and fields[name].type == "multiselect":
            values[name] = [*values[name], *value]
        elif f"{name}: {_TWICE}" not in problems:
            problems.append(f"{name}: {_TWICE}")
    if problems:
        raise CliError(
            "Some --field values cannot be read",
            exit_code=ExitCode.USAGE,
            details=tuple(problems),
        )
    return values


def _assigned(field: FormField, text: str) -> Any:
    """Type a value of the command line; ``@path`` stands for the content of a file.

    A value that begins with @ itself is written @@. The choices of a select are taken as they are.
    """
    if not text.startswith("@") or field.type in {"select", "multiselect", "file"}:
        return typed(field, text)
    if text.startswith("@@"):
        return typed(field, text[1:])
    try:
        content = _content(Path(text[1:])).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{text[1:]} is not UTF-8 text") from None
    except ValueError as error:
        raise ValueError(f"{error}; write @@ for a value that begins with @") from None
    # Editors end the last line of a file as well; the value does not have that end.
    return typed(field, content.removesuffix("\n").removesuffix("\r"))


def typed(field: FormField, text: str) -> Any:
    """Make the value that a field's type asks for out of a text; raises ``ValueError``."""
    if field.type in {"select", "multiselect"}:
        return _choice(field, text) if field.type == "select" else _list(field, text)
    read = _READERS.get(field.type)
    return read(text) if read else text


def is_needed(field: FormField) -> bool:
    """Return whether nobody can leave the field out, whatever the others are."""
    return field.required and field.default is None and not field.conditions


def is_shown(field: FormField, values: Mapping[str, Any]) -> bool:
    """Return whether a field is asked for, given the values so far."""
    if not field.conditions:
        return True
    from catalog.forms.conditions import holds  # noqa: PLC0415 -- only conditional fields need it
    from catalog.forms.definition import Condition  # noqa: PLC0415 -- as above

    return all(holds(Condition.model_validate(condition), values) for condition in field.conditions)


def collect(
    form: Iterable[FormField], given: Mapping[str, Any], ask: Callable[[FormField], Any]
) -> dict[str, Any]:
    """Ask for every field that is shown and not given yet; None leaves it out.

    Conditions see what the server sees: values, and defaults of shown fields without one. A field
    is asked for after those that its conditions look at.
    """
    values, seen = dict(given), dict[str, Any]()
    for field in _in_order(list(form)):
        if not is_shown(field, seen):
            continue
        answer = values[field.id] if field.id in values else ask(field)
        if answer is not None:
            values[field.id] = answer
        seen[field.id] = _default(field) if answer is None else answer
    return values


def _in_order(form: list[FormField]) -> list[FormField]:
    from catalog.forms.conditions import references  # noqa: PLC0415 -- only conditional fields need it
    from catalog.forms.definition import Condition  # noqa: PLC0415 -- as above

    known = {field.id for field in form}
    needs = {
        field.id: {
            name
            for condition in field.conditions
            for _, name in references(Condition.model_validate(condition))
        }
        & known
        for field in form
    }
    waiting, ordered, done = list(form), list[FormField](), set[str]()
    while waiting:
        # In a circle, which the server refuses, the form's own order is as good as any.
        free = next((field for field in waiting if needs[field.id] <= done), waiting[0])
        waiting.remove(free)
        ordered.append(free)
        done.add(free.id)
    return ordered


def _default(field: FormField) -> Any:
    if field.type != "date" or not isinstance(field.default, str):
        return field.default
    from catalog.forms.values import resolve_date  # noqa: PLC0415 -- only dates need it

    day = resolve_date(field.default, datetime.now(UTC).date())
    return day.isoformat() if day else field.default


def _read_field(field: Mapping[str, Any], group: Mapping[str, Any]) -> FormField:
    validation = field.get("validation") or {}
    conditions = (group.get("conditional"), field.get("conditional"))
    choices = field.get("enum") or validation.get("enum") or ()
    return FormField(
        id=field["id"],
        label=field.get("name") or field["id"],
        type=field.get("type", "string"),
        required=bool(field.get("required")),
        default=field.get("default"),
        description=field.get("description"),
        placeholder=field.get("placeholder"),
        choices=tuple(_read_choice(choice) for choice in choices),
        conditions=tuple(condition for condition in conditions if condition),
    )


def _read_choice(choice: Any) -> tuple[Any, str]:
    if isinstance(choice, dict) and "value" in choice:
        return choice["value"], str(choice.get("label", choice["value"]))
    return choice, str(choice)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{_short(text)} is not a number")
    return number


def _integer(text: str) -> int:
    try:
        number = _number(text)
    except ValueError:
        number = 0.5
    # 3.0 is the integer 3, as for the server.
    if isinstance(number, float) and not number.is_integer():
        raise ValueError(f"{_short(text)} is not a whole number")
    return int(number)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{_short(text)} is not true or false")
    return word in _TRUE


def _choice(field: FormField, text: str) -> Any:
    for value, label in field.choices:
        if text in (as_text(value), label) or _is_number(value, text):
            return value
    return text


def _is_number(value: Any, text: str) -> bool:
    """Return whether the text is another spelling of a number, such as 1.0 of 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return value == _number(text)
    except ValueError:
        return False


def _list(field: FormField, text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        values = _json(text)
        return values if isinstance(values, list) else [values]
    return [_choice(field, part.strip()) for part in text.split(",") if part.strip()]


def _json(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_number)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("not JSON that can be sent: it contains an unpaired surrogate") from None
    except RecursionError:
        raise ValueError("not JSON that can be sent: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    return value


def _file(text: str) -> str:
    if text.startswith("data:"):
        return text
    path = Path(text.removeprefix("@"))
    content = _content(path)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _content(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if len(content) > _LARGEST_FILE:
        raise ValueError(f"{path} is larger than the service takes ({_LARGEST_FILE:,} bytes)")
    return content


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def as_text(value: Any) -> str:
    """Write a plain value as it is typed on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_READERS: dict[str, Callable[[str], Any]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "json": _json,
    "file": _file,
    "list": _json,
}
