"""Detects calls from other sites' pages, by the headers that browsers send."""

from starlette.requests import Request


def is_foreign(request: Request) -> bool:
    """Return whether a browser sends this for a page of another origin; other programs pass."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin != f"{request.url.scheme}://{request.url.netloc}"
    return request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}
