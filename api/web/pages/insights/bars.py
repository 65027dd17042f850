"""Bars of the plots, in percent of the widest one. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FULL = 100.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: where it begins, how wide it is, and the tone that it is drawn in."""

    x: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True)
class Spreads:
    """A bar up to the median, and how much further 90 % reach."""

    median: float
    p90: float


def spreads(values: tuple[float, float], largest: float) -> Spreads:
    """Return the widths of a median and a 90th percentile."""
    median, p90 = (_share(one, largest) for one in values)
    return Spreads(median, p90)


def stacked(parts: Iterable[tuple[str, float]], largest: float) -> list[Segment]:
    """Return the parts one after the other; those of nothing are left out."""
    found: list[Segment] = []
    x = 0.0
    for tone, value in parts:
        width = _share(value, largest)
        if width > 0:
            found.append(Segment(round(x, 2), width, tone))
            x += width
    return found


def largest_of(values: Sequence[float]) -> float:
    """Return the value of a full bar."""
    return max(values, default=0.0) or 1.0


def _share(value: float, largest: float) -> float:
    return round(_FULL * min(value / largest, 1.0), 2)
