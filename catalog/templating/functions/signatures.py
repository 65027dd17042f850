"""The types that each function always takes and returns: for checks before it runs."""

from dataclasses import dataclass

from catalog.templating.value_types import (
    A_BOOLEAN,
    A_LIST,
    A_NUMBER,
    A_TEXT,
    LIST,
    MAPPING,
    NUMBER,
    PRESENT,
    TEXT,
    TEXTUAL,
    UNKNOWN,
    ValueShape,
)

_INDEX = TEXT | NUMBER


@dataclass(frozen=True, slots=True)
class Signature:
    """The kinds that arguments may have, the last one for all that follow, and the result."""

    takes: tuple[int, ...]
    gives: ValueShape


def _texts(*takes: int, gives: ValueShape = A_TEXT) -> Signature:
    return Signature(takes or (TEXTUAL,), gives)


_ANYTHING = Signature((PRESENT,), UNKNOWN)
_EQUALITY = Signature((PRESENT,), A_BOOLEAN)
_ORDER = Signature((TEXT | NUMBER,), A_BOOLEAN)

SIGNATURES: dict[str, Signature] = {
    **dict.fromkeys(("upper", "lower", "trim", "title", "slugify", "sanitize"), _texts()),
    **dict.fromkeys(("url", "urlencode", "jiraEscape", "base64", "base64decode"), _texts()),
    **dict.fromkeys(("concat", "replace", "hash"), _texts()),
    "split": _texts(gives=ValueShape(LIST, item=A_TEXT)),
    "join": Signature((LIST, TEXTUAL), A_TEXT),
    "truncate": _texts(TEXTUAL, NUMBER, TEXTUAL),
    "matches": _texts(gives=A_BOOLEAN),
    "string": Signature((PRESENT,), A_TEXT),
    "printf": Signature((TEXTUAL, PRESENT), A_TEXT),
    **dict.fromkeys(("json", "tojson"), Signature((PRESENT, NUMBER), A_TEXT)),
    "yaml": Signature((PRESENT,), A_TEXT),
    "uuid": _texts(),
    "timestamp": Signature((), A_NUMBER),
    "date": Signature((PRESENT, TEXTUAL), A_TEXT),
    "random": Signature((NUMBER, NUMBER, TEXTUAL), A_NUMBER),
    **dict.fromkeys(("eq", "ne"), _EQUALITY),
    **dict.fromkeys(("lt", "le", "gt", "ge"), _ORDER),
    "contains": Signature((LIST | MAPPING | TEXT, PRESENT), A_BOOLEAN),
    **dict.fromkeys(("len", "length"), Signature((TEXT | LIST | MAPPING,), A_NUMBER)),
    **dict.fromkeys(("index", "lookup"), Signature((PRESENT, _INDEX), UNKNOWN)),
    **dict.fromkeys(("first", "last"), Signature((LIST,), UNKNOWN)),
    "sort": Signature((LIST,), A_LIST),
    "unique": Signature((LIST,), A_LIST),
    "items": Signature((MAPPING,), A_LIST),
    "int": Signature((TEXT | NUMBER,), A_NUMBER),
}


def signature(name: str) -> Signature:
    """Return what is known of a function; of those that hand values on, nothing."""
    return SIGNATURES.get(name, _ANYTHING)
