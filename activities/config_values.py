"""Values of rendered configurations, without what templates left empty."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

T = TypeVar("T")
# The schema names the format, so that the catalog's rules find another address in the document.
Address = Annotated[str, Field(json_schema_extra={"format": "web-address"})]
"""Where a call goes; the client that makes it judges what is rendered."""
_NO_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_HEADER = "a header cannot hold a line break or control character"


class PlacedError(ValueError):
    """Raised by a validator of a whole model that knows which part of it is wrong."""

    def __init__(self, place: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.place = place


def without_empty(value: Any) -> Any:
    """Leave out the items of a list that are null or blank; null itself is an empty list."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        return value
    return tuple(one for one in value if not is_empty(one))


def without_nulls(given: Any) -> Any:
    """Leave out every null, however deep, and what is empty without it."""
    if isinstance(given, Mapping):
        kept = {key: without_nulls(value) for key, value in given.items()}
        return {key: value for key, value in kept.items() if not _was_emptied(value, given[key])}
    if isinstance(given, list | tuple):
        pairs = ((without_nulls(value), value) for value in given)
        return [value for value, before in pairs if not _was_emptied(value, before)]
    return given


def require_header_texts(headers: dict[str, T]) -> dict[str, T]:
    """Refuse values that no header can hold; raises ``PlacedError``."""
    for name, value in headers.items():
        if isinstance(value, str) and _NO_HEADER.search(value):
            raise PlacedError((name,), _NOT_IN_HEADER)
    return headers


def _require_header_text(text: str) -> str:
    if _NO_HEADER.search(text):
        raise ValueError(_NOT_IN_HEADER)
    return text


def is_empty(value: Any) -> bool:
    """Return whether a value is null or a blank text."""
    return value is None or (isinstance(value, str) and not value.strip())


def _was_emptied(value: Any, before: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, dict | list) and not value and bool(before)


Headers = Annotated[
    dict[str, str | int | float | bool | None], AfterValidator(require_header_texts)
]
"""Headers by name; one that is null is left out."""

HeaderText = Annotated[str, AfterValidator(_require_header_text)]

Texts = Annotated[tuple[str, ...], BeforeValidator(without_empty)]
"""A list of texts; items that are null or blank are left out."""
