"""Keeps values in their place in a URL: none may climb out of its path or reach its host."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from catalog.templating.contract import FaultError

Span = tuple[int, int]
"""The place of a value in the URL: its first character, and the one after its last."""

_DOTS = frozenset({".", ".."})
_ROUNDS = 8
# Overlong encodings of a dot, a slash and a backslash, which old UTF-8 decoders accept.
_OVERLONG = {"%c0%ae": ".", "%e0%80%ae": ".", "%c0%af": "/", "%e0%80%af": "/", "%c1%9c": "/"}
_OVERLONG_SIGN = re.compile("|".join(_OVERLONG), re.IGNORECASE)
_BEFORE_PATH = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//([^/?#\\]*)")
_QUERY = re.compile(r"[?#]")
_HOST = re.compile(r"[^\s/\\?#@%\x00-\x1f\x7f]*")


def require_in_place(url: str, values: Sequence[Span]) -> None:
    """Raise template-value unless the URL leads where its template says.

    No segment of the path may be ``.`` or ``..`` in any spelling, or climb by such within it; one
    made of values may be empty only if it is the last; a value in the host must be part of a name.
    """
    start = _require_host(url, values)
    end = _end_of_path(url, start)
    for first, after in _segments(url, start, end):
        segment = url[first:after]
        if any(map(_leads_out, _readings(segment))):
            raise FaultError(
                "template-value",
                "a segment of the path comes out as . or .., which leads elsewhere; "
                "correct the value",
            )
        made = any(begin >= first and finish <= after for begin, finish in values)
        if made and after < end and not unquote(segment).strip():
            raise FaultError(
                "template-value",
                "a segment of the path comes out empty, which leads elsewhere; give the value",
            )


def has_steps(url: str) -> bool:
    """Return whether a segment of the path is ``.`` or ``..`` in any spelling."""
    try:
        require_in_place(url, ())
    except FaultError:
        return True
    return False


def _require_host(url: str, values: Sequence[Span]) -> int:
    """Check the host, and return where the path begins."""
    found = _BEFORE_PATH.match(url)
    if found is None:
        return 0
    # What stands before the last @ is a user's name and password.
    start = found.start(1) + found[1].rfind("@") + 1
    end = start + len(url[start : found.end(1)].partition(":")[0])
    for begin, finish in values:
        if start < begin < end <= finish and _goes_on(url[start:begin], url[begin:end]):
            told = "a value goes on with the name of the host; begin the path before it"
            raise FaultError("template-value", told)
        if begin < found.end(1) and finish > start:
            value = unquote(url[max(begin, start) : min(finish, found.end(1))])
            if not _HOST.fullmatch(value):
                told = "a value within the host holds more than a name; correct the value"
                raise FaultError("template-value", told)
    return found.end()


def _goes_on(before: str, value: str) -> bool:
    """Return whether a value at the end of a host makes another domain of what stands before."""
    return not before.endswith(".") and "." in f"{before}{value}"


def _end_of_path(url: str, start: int) -> int:
    found = _QUERY.search(url, start)
    return found.start() if found else len(url)


def _segments(url: str, start: int, end: int) -> Iterator[Span]:
    """Yield the segments of the path; browsers treat a backslash as a slash."""
    first = start
    for at in range(start, end):
        if url[at] in "/\\":
            yield first, at
            first = at + 1
    yield first, end


def _readings(segment: str) -> Iterator[list[str]]:
    """Yield the readings of a segment by servers and proxies that decode or split it further."""
    text = segment
    for _ in range(_ROUNDS):
        yield re.split(r"[/\\]", _plain(text))
        decoded = unquote(_without_overlong(text))
        if decoded == text:
            return
        text = decoded


def _leads_out(parts: list[str]) -> bool:
    """Return whether ``..`` among the parts climbs out of the segment, or empties it."""
    depth, steps = 0, False
    for part in parts:
        # What follows a semicolon is a parameter of the part; a question mark or number sign that
        # a server decodes too early ends the path.
        name = re.split(r"[;?#]", part, maxsplit=1)[0].strip()
        steps = steps or name in _DOTS
        if name == "..":
            depth -= 1
            if depth < 0:
                return True
        elif name not in {"", "."}:
            depth += 1
    return steps and depth == 0


def _without_overlong(text: str) -> str:
    return _OVERLONG_SIGN.sub(lambda found: _OVERLONG[found[0].lower()], text)


def _plain(text: str) -> str:
    """Return a text as a careless parser reads it: no invisible signs, other dots as dots."""
    seen = "".join(char for char in text if unicodedata.category(char) not in {"Cc", "Cf"})
    return unicodedata.normalize("NFKC", seen)
