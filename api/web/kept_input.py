"""The content of a posted form, returned on an error page so that it can be sent again. Pure.

Passwords and files are left out: they are never put into a page. Only fields are returned whose
markers say that they may be; see `layout/fields.html`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import parse_qsl

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File
from starlette.datastructures import Headers
from starlette.types import Scope

from catalog.forms.base import label_from_id

MOST_BYTES = 512 * 1024
"""A larger form has to be entered again."""

_IN_PARTS = "multipart/form-data"
_FORMS = ("application/x-www-form-urlencoded", _IN_PARTS)
_FIELD, _MARKER = "fields.", "has."
_MAY_BE_SHOWN = "shown "
"""How a marker begins; the label of the field follows."""
# Codes to sign in are secrets.
_SECRET_PAGES = ("/signin", "/signout")
_IN_WORDS = ("reason", "outputs", "document")


@dataclass(frozen=True, slots=True)
class KeptInput:
    """A form that was not processed: its address, its entries, and what is shown of it.

    ``apart`` says that passwords or files were left out.
    """

    address: str
    entries: tuple[tuple[str, str], ...]
    shown: tuple[tuple[str, str], ...]
    apart: bool


def can_be_kept(scope: Scope) -> bool:
    """Return whether what a call posts can be returned on a page: a form of a browser."""
    headers = Headers(scope=scope)
    size = headers.get("content-length", "")
    return (
        scope["method"] == "POST"
        and not scope["path"].startswith(_SECRET_PAGES)
        and "text/html" in headers.get("accept", "")
        and headers.get("content-type", "").startswith(_FORMS)
        and size.isdecimal()
        and len(size) < 10  # noqa: PLR2004 -- digits
        and int(size) <= MOST_BYTES
    )


def kept_input(scope: Scope, body: bytes) -> KeptInput | None:
    """Return what a posted form holds; None for one that cannot be read, or holds nothing."""
    posted, files = list[tuple[str, str]](), list[int]()

    def note(one: Field) -> None:
        posted.append((_text(one.field_name), _text(one.value)))

    def note_file(one: File) -> None:
        files.append(one.size)
        one.close()

    kind = Headers(scope=scope).get("content-type", "")
    try:
        if kind.startswith(_IN_PARTS):
            parse_form({"Content-Type": kind.encode("latin-1")}, BytesIO(body), note, note_file)
        else:
            posted = parse_qsl(_text(body), keep_blank_values=True)
    except (FormParserError, ValueError):
        return None
    entries = tuple(_without_secrets(posted))
    labels = {
        name.removeprefix(_MARKER): text.removeprefix(_MAY_BE_SHOWN)
        for name, text in entries
        if name.startswith(_MARKER) and text.startswith(_MAY_BE_SHOWN)
    }
    shown = tuple(
        (labels.get(name.removeprefix(_FIELD)) or label_from_id(name), text)
        for name, text in entries
        if text.strip() and (name.startswith(_FIELD) or name in _IN_WORDS)
    )
    if not shown:
        return None
    filled, left = (sum(bool(text) for _, text in some) for some in (posted, entries))
    return KeptInput(scope["path"], entries, shown, apart=any(files) or filled > left)


def _without_secrets(posted: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the entries that may be put into a page."""
    markers = {
        name.removeprefix(_MARKER): text for name, text in posted if name.startswith(_MARKER)
    }
    for name, text in posted:
        field = name.removeprefix(_FIELD)
        if not name.startswith(_FIELD) or markers.get(field, "").startswith(_MAY_BE_SHOWN):
            yield name, text


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
