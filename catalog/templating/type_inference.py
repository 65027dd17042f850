"""Derives shapes from shapes: members, items, results of functions."""

from catalog.templating.functions.signatures import signature
from catalog.templating.value_types import (
    LIST,
    MAPPING,
    MISSING,
    NOTHING,
    NULL,
    PRESENT,
    TEXT,
    UNKNOWN,
    ValueShape,
    either,
)


def member_of(shape: ValueShape, key: str | int) -> ValueShape:
    """Return the shape of a member, NOTHING where there can be none."""
    if shape.members is not None and not shape.can_be(LIST):
        return shape.members.get(str(key), NOTHING)
    if isinstance(key, int) and shape.can_be(LIST) and not shape.can_be(MAPPING):
        # Whether the list is that long is known only when rendering.
        inner = shape.item or UNKNOWN
        return ValueShape(inner.kinds | MISSING, inner.members, inner.item, inner.choices)
    may_have = LIST | MAPPING if isinstance(key, int) else MAPPING
    return UNKNOWN if shape.can_be(may_have) else NOTHING


def element_of(shape: ValueShape) -> ValueShape:
    """Return the shape of the elements that a loop over it yields."""
    if shape.item is not None and not shape.can_be(MAPPING):
        return shape.item
    if shape.members and not shape.can_be(LIST):
        return either(shape.members.values())
    return UNKNOWN


def nullable(shape: ValueShape) -> ValueShape:
    """Return the shape with null in place of a missing value."""
    return ValueShape((shape.kinds & ~MISSING) | NULL) if shape.can_be(MISSING) else shape


def result_of(name: str, shapes: list[ValueShape]) -> ValueShape:
    """Return the shape of a function's result for arguments of these shapes."""
    if name in ("default", "coalesce"):
        if not shapes[0].can_be(NULL | MISSING | TEXT):
            return shapes[0]
        kinds = 0
        for shape in shapes:
            kinds |= shape.kinds
        last = shapes[-1].kinds if name == "default" else NULL
        return ValueShape((kinds & ~(NULL | MISSING)) | (last & PRESENT))
    if name == "required":
        return ValueShape(shapes[0].kinds & ~(NULL | MISSING), choices=shapes[0].choices)
    if name in ("first", "last", "sort", "unique"):
        return _of_list(name, shapes[0])
    return signature(name).gives


def _of_list(name: str, shape: ValueShape) -> ValueShape:
    if name in ("sort", "unique"):
        return ValueShape(LIST, item=shape.item)
    inner = shape.item or UNKNOWN
    return ValueShape(inner.kinds | NULL, inner.members, inner.item, inner.choices)
