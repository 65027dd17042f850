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
_BARE = re.compile(r"([^/?#\\]*)")
_QUERY = re.compile(r"[?#]")
_HOST = re.compile(r"[^\s/\\?#@%,\x00-\x1f\x7f]*")
# The dots that IDNA knows.
_DOT = re.compile("[.\u3002]")


def require_in_place(
    url: str, values: Sequence[Span], *, trusted: Sequence[Span] = (), bare: bool = False
) -> None:
    """Raise template-value unless the URL leads where its template says.

    No segment of the path may be ``.`` or ``..`` in any spelling, or climb by such within it; one
    made of values may be empty only if it is the last; a value in the host must be part of a name,
    and extend it to no other domain unless author or operator have set it (``trusted``).
    ``bare`` says that a URL may begin with its host.
    """
    found = _BEFORE_PATH.match(url) or (_BARE.match(url) if bare else None)
    start = found.end() if found else 0
    if found:
        # What stands before the last @ is a user's name and password.
        host = found.start(1) + found[1].rfind("@") + 1
        require_hosts(url, (host, start), values, trusted=trusted)
    values = (*values, *trusted)
    end = _end_of_path(url, start)
    for first, after in _segments(url, start, end):
        segment = url[first:after]
        if any(map(_leads_out, _decodings(segment))):
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


def has_dot_segments(url: str) -> bool:
    """Return whether a segment of the path is ``.`` or ``..`` in any spelling."""
    try:
        require_in_place(url, ())
    except FaultError:
        return True
    return False


def require_hosts(
    text: str, place: Span, values: Sequence[Span], *, trusted: Sequence[Span] = ()
) -> None:
    """Raise template-value if a value within the hosts there is no name, or extends a host."""
    start, after = place
    for begin, finish in (*values, *trusted):
        within = unquote(text[max(begin, start) : min(finish, after)])
        if not _HOST.fullmatch(within):
            message = "a value within the host holds more than a name; correct the value"
            raise FaultError("template-value", message)
    joined = _merge_adjacent(values)
    for entry in text[start:after].split(","):
        end = start + len(entry.partition(":")[0])
        for begin, finish in joined:
            if start < begin < end <= finish and _extends(text[start:begin], text[begin:end]):
                message = "a value extends the host name; put a / before it"
                raise FaultError("template-value", message)
        start += len(entry) + 1


def _merge_adjacent(values: Sequence[Span]) -> list[Span]:
    """Return the spans with those in one that touch each other."""
    joined: list[Span] = []
    for begin, finish in values:
        if joined and joined[-1][1] == begin:
            begin = joined.pop()[0]  # noqa: PLW2901 -- the two are one span from here on.
        joined.append((begin, finish))
    return joined


def _extends(before: str, value: str) -> bool:
    """Return whether a value at the end of a host makes another domain of what stands before.

    It completes a label that ends in a hyphen, or the only one, as long as it begins no other.
    """
    if before.endswith("."):
        return False
    return bool(_DOT.search(_normalize(unquote(value)))) or ("." in before and before[-1] != "-")


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


def _decodings(segment: str) -> Iterator[list[str]]:
    """Yield the readings of a segment by servers and proxies that decode or split it further."""
    text = segment
    for _ in range(_ROUNDS):
        yield re.split(r"[/\\]", _normalize(text))
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


def _normalize(text: str) -> str:
    """Return a text as a careless parser reads it: no invisible signs, other dots as dots."""
    seen = "".join(char for char in text if unicodedata.category(char) not in {"Cc", "Cf"})
    return unicodedata.normalize("NFKC", seen)
