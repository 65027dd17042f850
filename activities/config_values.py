"""Values of rendered configurations: what is left out where a template gave nothing."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator


def without_empty(given: Any) -> Any:
    """Leave out the items of a list that are null or blank; null itself is an empty list."""
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        return given
    return tuple(one for one in given if not is_empty(one))


def without_nulls(given: Any) -> Any:
    """Leave out every null, however deep, and what is empty without it."""
    if isinstance(given, Mapping):
        kept = {key: without_nulls(value) for key, value in given.items()}
        return {key: value for key, value in kept.items() if not _was_emptied(value, given[key])}
    if isinstance(given, list | tuple):
        pairs = ((without_nulls(value), value) for value in given)
        return [value for value, before in pairs if not _was_emptied(value, before)]
    return given


def is_empty(value: Any) -> bool:
    """Tell whether a value is null or a blank text."""
    return value is None or (isinstance(value, str) and not value.strip())


def _was_emptied(value: Any, before: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, dict | list) and not value and bool(before)


Texts = Annotated[tuple[str, ...], BeforeValidator(without_empty)]
"""A list of texts; items that are null or blank are left out."""
