"""What is known about a value in advance: its possible kinds and members. No templates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Bits of a plain int: sets of them are combined for every node of every template.
TEXT, NUMBER, BOOLEAN, LIST, MAPPING, NULL, MISSING = (1 << bit for bit in range(7))
ANY = TEXT | NUMBER | BOOLEAN | LIST | MAPPING | NULL | MISSING
PRESENT = ANY & ~MISSING
# Kinds that functions accept as a text: null counts as an empty one.
TEXTUAL = TEXT | NUMBER | BOOLEAN | NULL

_NAMES = {
    TEXT: "a text",
    NUMBER: "a number",
    BOOLEAN: "a boolean",
    LIST: "a list",
    MAPPING: "a mapping",
    NULL: "null",
}


@dataclass(frozen=True, slots=True)
class ValueShape:
    """The shape of a value; unknown parts allow anything, so only the impossible is reported.

    ``members`` are those of a mapping of which all are known, ``item`` is what a list holds,
    ``choices`` are the only possible values besides null.
    """

    kinds: int = ANY
    members: "Mapping[str, ValueShape] | None" = None
    item: "ValueShape | None" = None
    choices: tuple[Any, ...] | None = None

    @property
    def present_kinds(self) -> int:
        """The kinds of a value that is present: neither null nor missing."""
        return self.kinds & ~(NULL | MISSING) or self.kinds

    def can_be(self, kinds: int) -> bool:
        """Return whether the value may be of one of these kinds."""
        return bool(self.kinds & kinds)

    @property
    def is_missing(self) -> bool:
        """Return whether the value is certainly absent."""
        return self.kinds == MISSING


UNKNOWN = ValueShape()
NOTHING = ValueShape(MISSING)
A_TEXT, A_NUMBER, A_BOOLEAN = ValueShape(TEXT), ValueShape(NUMBER), ValueShape(BOOLEAN)
A_LIST = ValueShape(LIST)


def describe_kinds(kinds: int) -> str:
    """Describe kinds for people: ``a text or a number``."""
    return " or ".join(name for bit, name in _NAMES.items() if kinds & bit) or "nothing"


def mapping_of(members: Mapping[str, ValueShape]) -> ValueShape:
    """Return the shape of a mapping whose members are all known."""
    return ValueShape(MAPPING, members=members)


def either(shapes: Iterable[ValueShape]) -> ValueShape:
    """Return the union of shapes: all their kinds, and details only where all agree."""
    known = list(shapes)
    if not known:
        return UNKNOWN
    first, kinds = known[0], 0
    for shape in known:
        kinds |= shape.kinds
    same = all(shape == first for shape in known[1:])
    return first if same else ValueShape(kinds)


def shape_of(value: Any) -> ValueShape:
    """Return the shape of a constant of JSON."""
    if isinstance(value, Mapping):
        return mapping_of({str(key): shape_of(inner) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        return ValueShape(LIST, item=either(shape_of(inner) for inner in value))
    return ValueShape(_kind(value), choices=(value,))


def shape_of_schema(schema: Any, *, closed: bool = False) -> ValueShape:
    """Return the shape of what a JSON Schema describes; what it leaves open stays unknown.

    ``closed``: a schema that does not mention additional properties has none.
    """
    if not isinstance(schema, Mapping):
        return UNKNOWN
    kinds = schema.get("type")
    wanted = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    bits = 0
    for name in wanted:
        bits |= _SCHEMA_KINDS.get(name, ANY) if isinstance(name, str) else ANY
    properties = schema.get("properties") or {}
    if not properties or schema.get("additionalProperties", not closed):
        return ValueShape(bits or ANY)
    return ValueShape(
        bits or ANY, members={key: shape_of_schema(properties[key]) for key in properties}
    )


_SCHEMA_KINDS = {
    "string": TEXT,
    "number": NUMBER,
    "integer": NUMBER,
    "boolean": BOOLEAN,
    "array": LIST,
    "object": MAPPING,
    "null": NULL,
}


def _kind(value: Any) -> int:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return TEXT
    return NUMBER if isinstance(value, int | float) else ANY
