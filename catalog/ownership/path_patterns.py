"""Patterns of paths in CODEOWNERS files, matched in time that no pattern can blow up."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ANY_DEPTH = "**"
_ANY = "*"


class PathPatternError(ValueError):
    """The forge does not take the pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern by its segments; ``**`` stands for any number of them.

    ``descends``: what is below a match belongs to it as well.
    """

    segments: tuple[str, ...]
    descends: bool = False
    ranges: bool = False

    def covers(self, path: Sequence[str]) -> bool:
        """Return whether a file is meant, given by the segments of its path."""
        wanted = (*self.segments, ANY_DEPTH) if self.descends else self.segments
        return _walk(wanted, path, ANY_DEPTH, self._one)

    def _one(self, wanted: str, name: str) -> bool:
        if not any(sign in wanted for sign in "*?[\\"):
            return wanted == name
        return _walk(_signs(wanted, ranges=self.ranges), name, _ANY, _fits)


def _walk(
    wanted: Sequence[str], given: Sequence[str], anything: str, fits: Callable[[str, str], bool]
) -> bool:
    """Match a sequence in which ``anything`` stands for any number of elements.

    Going back to the last of them is enough, so the time is bounded by the product of the lengths.
    """
    at, here, again, resume = 0, 0, -1, 0
    while here < len(given):
        if at < len(wanted) and wanted[at] == anything:
            again, resume, at = at, here, at + 1
        elif at < len(wanted) and fits(wanted[at], given[here]):
            at, here = at + 1, here + 1
        elif again >= 0:
            resume += 1
            at, here = again + 1, resume
        else:
            return False
    return all(left == anything for left in wanted[at:])


def _signs(segment: str, *, ranges: bool) -> list[str]:
    """Split a segment into what stands for one character each, and ``*``."""
    signs: list[str] = []
    at = 0
    while at < len(segment):
        end = at + 1
        if segment[at] == "\\":
            end = at + 2
        elif segment[at] == "[" and ranges:
            closed = segment.find("]", at + 2)
            end = closed + 1 if closed > 0 else end
        sign = segment[at:end]
        if sign != _ANY or signs[-1:] != [_ANY]:
            signs.append(sign)
        at = end
    return signs


def _fits(sign: str, character: str) -> bool:
    if sign == "?":
        return True
    if sign.startswith("\\"):
        return sign[1:] == character
    return _in_range(sign, character) if len(sign) > 1 else sign == character


def _in_range(sign: str, character: str) -> bool:
    inside = sign[1:-1]
    other = inside[:1] in {"!", "^"}
    for found in re.finditer(r"(.)-(.)|(.)", inside[1:] if other else inside):
        low, high = found[1] or found[3], found[2] or found[3]
        if low <= character <= high:
            return not other
    return other
