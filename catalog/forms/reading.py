"""What a person types as the value of a field.

Whether a value is good is for the validator to say (form.py). Here a text only becomes a number,
a list, a choice, or is refused.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.values import is_number
from catalog.forms.writing import as_text
from pao.core.strict_json import read_json

_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "0"})
_MOST_SHOWN = 80
# A space of any width or an apostrophe between groups of three digits.
_GROUPING = re.compile("(?<=[0-9])[ \u00a0\u2009\u202f'\u2019](?=[0-9]{3}(?![0-9]))")
_COMMA_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")
_DOT_GROUPS = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+,[0-9]+|[+-]?[1-9][0-9]{0,2}(\.[0-9]{3}){2,}"
)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


class ReadingError(ValueError):
    """A text that is no value of its field's type; the message continues after the field's name."""


def read(field: FieldDefinition, text: str) -> Any:
    """Return the value that a text means in a field; raises ``ReadingError``.

    A choice may be given by its value or its label, several by commas or as a JSON list. Files
    are data URLs already (files.py).
    """
    reader = _READERS.get(field.type)
    return reader(field, text) if reader else text


def read_inputs(field: FieldDefinition, texts: Sequence[str]) -> Any:
    """Return the value that the texts of a field's inputs mean; raises ``ReadingError``."""
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
    written = _normalize_number(text, _refuse_ambiguous)
    for kind in (int, float):
        try:
            number = kind(written)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    raise ReadingError(f"{_short(text)} is not a number")


def _integer(_: FieldDefinition, text: str) -> int:
    written = _normalize_number(text, _without_commas)
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


def _normalize_number(text: str, of_thousands: Callable[[str], str]) -> str:
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


def _strip(_: FieldDefinition, text: str) -> str:
    return text.strip()


def _lines(_: FieldDefinition, text: str) -> str:
    return text.replace("\r\n", "\n")


def _short(text: str) -> str:
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")


_READERS: dict[FieldType, Callable[[FieldDefinition, str], Any]] = {
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.SELECT: _choice,
    FieldType.MULTISELECT: _list,
    FieldType.DATE: _strip,
    FieldType.EMAIL: _strip,
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
        _strip,
    ),
}
