"""The files of a multipart body as programs write it; browsers send none here."""

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(r'multipart/form-data;.*boundary="?([^";]+)"?', re.IGNORECASE)
_NAMES = re.compile(rb'form-data; name="file"; filename="([^"\r\n]*)"', re.IGNORECASE)
_TYPE = re.compile(rb"^content-type: *([^\r\n;]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it was sent."""

    name: str
    media_type: str
    content: bytes


def read_files(content_type: str, body: bytes) -> list[Upload]:
    """Return the files of all parts that are called "file"."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        return []
    parts = (b"\r\n" + body).split(b"\r\n--" + found[1].encode())
    return [file for part in parts if (file := _file(part))]


def _file(part: bytes) -> Upload | None:
    head, _, content = part.partition(b"\r\n\r\n")
    name, kind = _NAMES.search(head), _TYPE.search(head)
    if name is None:
        return None
    media_type = kind[1].decode().strip() if kind else "application/octet-stream"
    return Upload(name[1].decode().replace("%22", '"'), media_type, content)
