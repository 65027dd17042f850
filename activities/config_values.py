"""Values of rendered configurations, without what templates left empty."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from catalog.config_texts import WEB_ADDRESS, is_template
from catalog.templating import has_dot_segments
from pao.clients.outgoing import HEADER_NAME, NOT_IN_HEADER, CallInvalidError, read_url
from pao.core.names import MASK

T = TypeVar("T")
_NO_NAME = "the name of a header is blank or holds a character that HTTP does not allow"
_NO_TEXT = "a header cannot hold a line break or control character"


class PlacedError(ValueError):
    """Raised by the validator of a model that knows which part of it is wrong."""

    def __init__(self, place: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.place = place


def without_blank(value: Any) -> Any:
    """Return the value, or None for a blank text."""
    return None if is_empty(value) else value


def without_empty(value: Any) -> Any:
    """Return a list without null or blank items; null is an empty list."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        return value
    return tuple(one for one in value if not is_empty(one))


def without_nulls(given: Any) -> Any:
    """Return a value without nulls, at any depth, and without what is then empty."""
    if isinstance(given, Mapping):
        kept = {key: without_nulls(value) for key, value in given.items()}
        return {key: value for key, value in kept.items() if not _was_emptied(value, given[key])}
    if isinstance(given, list | tuple):
        pairs = ((without_nulls(value), value) for value in given)
        return [value for value, before in pairs if not _was_emptied(value, before)]
    return given


def is_unresolved(text: str) -> bool:
    """Return whether a text is a template, or has a masked secret."""
    return MASK in text or is_template(text)


def require_header_texts(headers: dict[str, T]) -> dict[str, T]:
    """Return headers; raises ``PlacedError`` for invalid names and values."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise PlacedError((name,), _NO_NAME)
        if isinstance(value, str) and NOT_IN_HEADER.search(value):
            raise PlacedError((name,), _NO_TEXT)
    return headers


def require_header_text(text: str) -> str:
    """Return the text if it is a valid header value; raises ``ValueError``."""
    if NOT_IN_HEADER.search(text):
        raise ValueError(_NO_TEXT)
    return text


def require_header_name(text: str) -> str:
    """Return the text if it is a valid header name; raises ``ValueError``."""
    if not HEADER_NAME.fullmatch(text) and not is_unresolved(text):
        raise ValueError(_NO_NAME)
    return text


def _require_address(text: str) -> str:
    if is_unresolved(text):
        return text
    try:
        read_url(text)
    except CallInvalidError as error:
        text = error.message.removesuffix(".")
        raise ValueError(f"{text[0].lower()}{text[1:]}") from error
    if has_dot_segments(text):
        raise ValueError("a segment of the path comes out as . or .., which leads elsewhere")
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

HeaderText = Annotated[str, AfterValidator(require_header_text)]

HeaderName = Annotated[str, AfterValidator(require_header_name)]

# The schema names the format, so that the catalog's rules find another address in the document.
Address = Annotated[
    str, AfterValidator(_require_address), Field(json_schema_extra={"format": WEB_ADDRESS})
]
"""The address of a call, as the HTTP client accepts it."""

Texts = Annotated[tuple[str, ...], BeforeValidator(without_empty)]
"""A list of texts; items that are null or blank are left out."""
