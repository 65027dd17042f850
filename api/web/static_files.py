"""Style sheet, scripts and icon: named by their content, so that browsers may keep them."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pao.core.errors import ErrorCode, PaoError

FOLDER = Path(__file__).parent / "static"
VENDOR = ("htmx.min.js", "hx-sse.min.js")
"""What `make` fetches into static/vendor/; without it pages work, but do not update."""

_FOR_GOOD = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served, plain and compressed."""

    address: str
    content: bytes
    compressed: bytes
    media: str


@cache
def files() -> dict[str, StaticFile]:
    """Return every file by its name; they are read once per process."""
    found = sorted(FOLDER.glob("*.*")) + sorted((FOLDER / "vendor").glob("*.js"))
    return {path.name: _read(path) for path in found}


def address_of(name: str) -> str:
    """Return where a file is served; raises ``KeyError`` for an unknown file."""
    return files()[name].address


def has_htmx() -> bool:
    """Return whether the scripts of others were fetched."""
    return all(name in files() for name in VENDOR)


@cache
def _by_address() -> dict[str, StaticFile]:
    return {one.address: one for one in files().values()}


@router.get("/static/{name}")
async def static_file(request: Request, name: str) -> Response:
    """Return a file; an old name is not found, so browsers never cache a wrong file."""
    found = _by_address().get(f"/static/{name}")
    if found is None:
        raise PaoError(ErrorCode.NOT_FOUND, "There is no such file.")
    headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.compressed, media_type=found.media, headers=headers)
    return Response(found.content, media_type=found.media, headers=headers)


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Redirect browsers that request the icon by its traditional name."""
    return RedirectResponse(address_of("icon.svg"), 308)


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    media = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    address = f"/static/{path.stem}-{digest}{path.suffix}"
    return StaticFile(address, content, gzip.compress(content, mtime=0), media)
