"""A file as the value of a field: a data URL that keeps the file's name."""

import base64
import re
from mimetypes import MimeTypes, guess_type
from urllib.parse import quote

from catalog.forms.definition import FieldDefinition
from catalog.forms.values import media_type_fits

_UNKNOWN = "application/octet-stream"
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_LONGEST_NAME = 255
# Python's own table, so that the machine's does not decide what a name means.
_COMMON = MimeTypes()


def file_value(
    field: FieldDefinition, content: bytes, *, name: str, declared: str | None = None
) -> str:
    """Return a file as the value of a field.

    ``name`` is kept without its folders. ``declared`` is the media type that a browser says; what
    the name means everywhere precedes it, and a text of unknown type is ``text/plain``.
    """
    base = re.split(r"[/\\]", name)[-1][-_LONGEST_NAME:]
    media_type = _media_type(field, content, name=base, declared=declared)
    parameter = f";name={quote(base, safe='')}" if base else ""
    return f"data:{media_type}{parameter};base64,{base64.b64encode(content).decode()}"


def _media_type(field: FieldDefinition, content: bytes, *, name: str, declared: str | None) -> str:
    common, encoding = _COMMON.guess_type(name)
    if encoding or common:
        return _COMPRESSED.get(encoding, _UNKNOWN) if encoding else common or _UNKNOWN
    given = (declared or "").partition(";")[0].strip()
    candidates = [
        "text/plain" if _is_text(content) else None,
        given if _MEDIA_TYPE.fullmatch(given) else None,
        guess_type(name)[0],
    ]
    known = [one for one in candidates if one and one != _UNKNOWN]
    wanted = field.validation.types or ("*/*",)
    fitting = (one for one in known if any(media_type_fits(one, kind) for kind in wanted))
    return next(fitting, known[0] if known else _UNKNOWN)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
