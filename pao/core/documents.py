"""Dataclasses as JSON documents, in the one spelling in which they are stored and shown. Pure.

Keys are the fields' names in camelCase. Earlier versions stored some documents under the fields'
own names: both spellings are read. Keys that this version does not know are left out, fields that
a document lacks have their defaults.
"""

import types
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_document(value: Any) -> dict[str, Any]:
    """Return a dataclass as a document; dataclasses in it become documents, too."""
    return {key: stored_value(getattr(value, name)) for name, key in _keys_of(value.__class__)}


def stored_value(value: Any) -> Any:
    """Return a field's value as it is stored: dataclasses in it as documents."""
    if value is None or isinstance(value, str | int | dict):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return to_document(value)
    if isinstance(value, list | tuple):
        return [stored_value(one) for one in value]
    return value


def from_document(kind: type[T], document: object) -> T:
    """Return the dataclass of a document, in either spelling; raises ``ValueError`` if invalid."""
    if not isinstance(document, Mapping):
        raise ValueError(f"{kind.__name__}: not an object")  # noqa: TRY004 -- data, not code.
    known: Any = kind
    values = {}
    for name, key, hint in _fields_of(known):
        value = document.get(key, document.get(name, _MISSING))
        if value is not _MISSING:
            values[name] = _read(hint, value)
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from None


def list_from_documents(kind: type[T], documents: Iterable[object] | None) -> list[T]:
    """Return the dataclasses of a list of documents; an empty list for None."""
    return [from_document(kind, one) for one in documents or ()]


def camel_case(name: str) -> str:
    """Return a field's name as its key."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


_MISSING = object()


@cache
def _keys_of(kind: Any) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, camel_case(one.name)) for one in fields(kind))


@cache
def _fields_of(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((one.name, camel_case(one.name), hints[one.name]) for one in fields(kind))


def _read(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is list:
        (member,) = get_args(hint)
        return [_read(member, one) for one in value] if isinstance(value, list) else value
    if isinstance(hint, type) and is_dataclass(hint):
        return from_document(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
