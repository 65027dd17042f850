"""What a person types, or a browser posts, as the values of the fields; and back as text.

Whether a value is good is for the validator to say (form.py). Here a text only becomes a number,
a list, a choice; one that cannot is an error in the validator's shape.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NoReturn

from catalog.forms.context import NOBODY, FormContext
from catalog.forms.definition import MOST_ROWS, FieldDefinition, FieldType
from catalog.forms.form import FieldError, Form, FormResult
from catalog.forms.values import excerpt, is_number
from pao.core.passwords import way_in_row
from pao.core.strict_json import read_json

KEPT_APART = frozenset({FieldType.PASSWORD, FieldType.FILE})
"""Values that never come back into a page; while a form is filled in they are kept sealed."""

_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "0"})
_SHOWN = 80
# A space of any width or an apostrophe between groups of three digits.
_GROUPING = re.compile("(?<=[0-9])[ \u00a0\u2009\u202f'\u2019](?=[0-9]{3}(?![0-9]))")
_COMMA_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")
_DOT_GROUPS = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+,[0-9]+|[+-]?[1-9][0-9]{0,2}(\.[0-9]{3}){2,}"
)
_ROW_NUMBER = re.compile(r"[0-9]{1,4}")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


class ReadingError(ValueError):
    """A text that is no value of its field's type; it goes on after the field's name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The values of a posted form, hidden fields left out, and the texts that are no values.

    Where a text cannot be read, it stands among the values as it was posted.
    """

    values: dict[str, Any]
    errors: tuple[FieldError, ...] = ()

    def judged_by(self, form: Form, today: date, context: FormContext = NOBODY) -> FormResult:
        """Return the validator's answer; an unreadable text is reported once, as unreadable."""
        result = form.validate(self.values, today, context)
        unreadable = {error.field: error for error in self.errors}
        if not unreadable:
            return result
        others = [error for error in result.errors if error.field not in unreadable]
        order = {field_id: index for index, field_id in enumerate(form.fields)}
        errors = sorted(
            (*unreadable.values(), *others),
            key=lambda error: order.get(error.field.partition("[")[0], len(order)),
        )
        return replace(result, valid=False, errors=tuple(errors))


def read(field: FieldDefinition, text: str) -> Any:
    """Return the value that a text means in a field; raises ``ReadingError``.

    A choice may be given by its value or its label, several by commas or as a JSON list. Files
    are data URLs already (files.py).
    """
    reader = _READERS.get(field.type)
    return reader(field, text) if reader else text


def read_posted(
    form: Form,
    posted: Mapping[str, Sequence[str]],
    today: date,
    context: FormContext = NOBODY,
) -> Reading:
    """Read what a browser posts: for every field that the page showed, the texts of its inputs.

    An unticked checkbox and an emptied multiselect post nothing, so their fields have no texts
    but must be there. An emptied field of another type is absent, and takes its default again.
    A list is posted as one text of JSON, or row by row: ``rules[4].prefix``, where the number
    only tells rows apart; one whose rows were all removed is empty if it would have some again.
    """
    values: dict[str, Any] = {}
    errors: dict[str, FieldError] = {}
    for field_id, field in form.fields.items():
        if field_id not in posted:
            continue
        by_row = field.type is FieldType.LIST and not any(posted[field_id])
        value = _read_rows(field, posted, errors) if by_row else _read(field, posted, errors)
        if value is not None:
            values[field_id] = value
    shown = form.shown(values, today, context)
    return Reading(
        {
            field_id: _only_shown(form.fields[field_id], value, shown)
            for field_id, value in values.items()
            if field_id in shown
        },
        tuple(error for way, error in errors.items() if way in shown),
    )


def _read(
    field: FieldDefinition,
    posted: Mapping[str, Sequence[str]],
    errors: dict[str, FieldError],
    *,
    posted_as: str | None = None,
    way: str | None = None,
) -> Any:
    """Return what a field holds; a text that cannot be read is noted by the field's way."""
    texts = posted[posted_as or field.id]
    try:
        return _posted(field, texts)
    except ReadingError as error:
        found = unreadable(field, texts[-1], error)
        errors[way or field.id] = replace(found, field=way or field.id)
        return texts[-1]


def _read_rows(
    field: FieldDefinition, posted: Mapping[str, Sequence[str]], errors: dict[str, FieldError]
) -> list[dict[str, Any]] | None:
    rows = []
    for index, number in enumerate(row_numbers(field, posted)):
        row = {}
        for inner in field.fields:
            name = way_in_row(field.id, number, inner.id)
            if name in posted:
                way = way_in_row(field.id, index, inner.id)
                row[inner.id] = _read(inner, posted, errors, posted_as=name, way=way)
        rows.append({name: value for name, value in row.items() if value is not None})
    return rows or ([] if field.default is not None else None)


def row_numbers(field: FieldDefinition, posted: Iterable[str]) -> list[int]:
    """Return the numbers of the rows of a list that were posted, in their order."""
    known, start = {inner.id for inner in field.fields}, f"{field.id}["
    numbers = set()
    for name in posted:
        if name.startswith(start):
            number, _, inner = name.removeprefix(start).partition("].")
            if inner in known and _ROW_NUMBER.fullmatch(number):
                numbers.add(int(number))
    return sorted(numbers)[: MOST_ROWS + 1]


def _only_shown(field: FieldDefinition, value: Any, shown: frozenset[str]) -> Any:
    """Return a value without what the rows of a list hide."""
    if field.type is not FieldType.LIST or not isinstance(value, list) or len(value) > MOST_ROWS:
        return value
    known = {inner.id for inner in field.fields}
    return [
        {
            name: one
            for name, one in row.items()
            if name not in known or way_in_row(field.id, index, name) in shown
        }
        if isinstance(row, dict)
        else row
        for index, row in enumerate(value)
    ]


def unreadable(field: FieldDefinition, text: str, error: ReadingError) -> FieldError:
    """Return the error of a text that cannot be read, in the validator's shape."""
    received = None if field.holds_secret else excerpt(text)
    return FieldError(field.id, "type", f"{field.label}: {error}", received)


def written(field: FieldDefinition, value: Any) -> list[str]:
    """Return the texts that ``read_posted`` reads as this value: one for each input."""
    if value is None:
        return []
    if field.type is FieldType.BOOLEAN:
        return ["true"] if value is True else []
    if field.type is FieldType.MULTISELECT and isinstance(value, list):
        return [as_text(one) for one in value]
    if field.type in (FieldType.JSON, FieldType.LIST):
        return [json.dumps(value, indent=2, ensure_ascii=False)]
    return [as_text(value)]


def written_rows(field: FieldDefinition, rows: Sequence[Any]) -> dict[str, list[str]]:
    """Return the texts of a list's rows, as ``read_posted`` reads them.

    Passwords and files in them have none: they are kept apart, or entered again.
    """
    return {
        way_in_row(field.id, number, inner.id): []
        if inner.type in KEPT_APART
        else written(inner, row.get(inner.id))
        for number, row in enumerate(rows)
        if isinstance(row, Mapping)
        for inner in field.fields
    }


def as_text(value: Any) -> str:
    """Return a value as people write it; lists with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(as_text(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _posted(field: FieldDefinition, texts: Sequence[str]) -> Any:
    if field.type is FieldType.BOOLEAN:
        return bool(texts) and _boolean(field, texts[-1])
    if field.type is FieldType.MULTISELECT:
        if field.choices is None:
            lines = (line for text in texts for line in text.splitlines())
            return [value for line in lines for value in _list(field, line)]
        return [_choice(field, text) for text in texts]
    text = texts[-1].replace("\r\n", "\n") if texts else ""
    return read(field, text) if text else None


def _number(_: FieldDefinition, text: str) -> int | float:
    written = _plain(text, _refuse_ambiguous)
    for kind in (int, float):
        try:
            number = kind(written)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    raise ReadingError(f"{_short(text)} is not a number")


def _integer(_: FieldDefinition, text: str) -> int:
    written = _plain(text, _without_commas)
    try:
        return int(written)
    except ValueError:
        pass
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    # 3.0 is the integer 3, as for the validator.
    if not number.is_integer():
        raise ReadingError(f"{_short(text)} is not a whole number")
    return int(number)


def _plain(text: str, of_thousands: Callable[[str], str]) -> str:
    """Write a number as programs do: without grouping, with a decimal point."""
    number = _GROUPING.sub("", text.strip().replace("\u2212", "-"))
    if _COMMA_GROUPS.fullmatch(number):
        several = number.count(",") > 1 or "." in number
        return _without_commas(number) if several else of_thousands(number)
    if _DOT_GROUPS.fullmatch(number):
        return number.replace(".", "").replace(",", ".")
    return number.replace(",", ".") if _DECIMAL_COMMA.fullmatch(number) else number


def _without_commas(number: str) -> str:
    return number.replace(",", "")


def _refuse_ambiguous(number: str) -> NoReturn:
    thousands, decimal = _without_commas(number), number.replace(",", ".")
    raise ReadingError(f"{_short(number)} is ambiguous; write {thousands} or {decimal}")


def _boolean(_: FieldDefinition, text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ReadingError(f"{_short(text)} is not true or false")
    return word in _TRUE


def _choice(field: FieldDefinition, text: str) -> Any:
    """Return the choice with this value, else with this label, else the text itself."""
    choices = field.choices or ()
    # Of 1 and "1" the text is meant: the number has other spellings.
    values = sorted((choice.value for choice in choices), key=is_number)
    for value in values:
        if text == as_text(value) or _is_spelling(value, text):
            return value
    return next((choice.value for choice in choices if choice.label == text), text)


def _is_spelling(value: Any, text: str) -> bool:
    """Return whether the text is another spelling of a number, such as 1.0 of 1."""
    if not is_number(value):
        return False
    try:
        return bool(value == float(text))
    except (ValueError, OverflowError):
        return False


def _list(field: FieldDefinition, text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            values = _json(field, text)
        except ReadingError as error:
            raise ReadingError(f'{error}; write a,b or ["a","b"]') from None
        return values if isinstance(values, list) else [values]
    whole = _choice(field, text.strip())
    # A choice may contain a comma itself.
    if field.choices and any(choice.value == whole for choice in field.choices):
        return [whole]
    return [_choice(field, part.strip()) for part in text.split(",") if part.strip()]


def _json(_: FieldDefinition, text: str) -> Any:
    try:
        value = read_json(text)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ReadingError(f"not JSON: {error.msg} at {where}") from None
    except UnicodeEncodeError:
        raise ReadingError("not JSON that can be sent: it contains an unpaired surrogate") from None
    except RecursionError:
        raise ReadingError("not JSON that can be sent: it is nested too deeply") from None
    except ValueError as error:
        raise ReadingError(f"not JSON: {error}") from None
    return value


def _trimmed(_: FieldDefinition, text: str) -> str:
    return text.strip()


def _lines(_: FieldDefinition, text: str) -> str:
    return text.replace("\r\n", "\n")


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


_READERS: dict[FieldType, Callable[[FieldDefinition, str], Any]] = {
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.SELECT: _choice,
    FieldType.MULTISELECT: _list,
    FieldType.DATE: _trimmed,
    FieldType.EMAIL: _trimmed,
    FieldType.TEXTAREA: _lines,
    FieldType.JSON: _json,
    FieldType.LIST: _json,
    **dict.fromkeys(
        (
            FieldType.DATETIME,
            FieldType.TIME,
            FieldType.DURATION,
            FieldType.URL,
            FieldType.USER,
            FieldType.TEAM,
        ),
        _trimmed,
    ),
}
