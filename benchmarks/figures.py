"""What is made of measured times: quantiles, ratios, and how they are written. Measures nothing."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Times in milliseconds; ``per_second`` is the rate at which calls were answered."""

    count: int
    p50: float
    p95: float
    p99: float
    per_second: float | None = None

    def document(self) -> dict[str, float | int | None]:
        """Return the figures as JSON, rounded to what they can mean."""
        return {
            name: round(value, 2) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def figures(seconds: Sequence[float], *, elapsed: float | None = None) -> Figures:
    """Make figures of times in seconds, at least one; ``elapsed`` is how long all of them took."""
    ordered = sorted(seconds)
    return Figures(
        count=len(ordered),
        p50=quantile(ordered, 0.50) * 1000,
        p95=quantile(ordered, 0.95) * 1000,
        p99=quantile(ordered, 0.99) * 1000,
        per_second=len(ordered) / elapsed if elapsed else None,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of the ordered values do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def milliseconds(value: float) -> str:
    """Write a time: two digits after the point below 10 ms, none from 100 ms on."""
    digits = 2 if value < 10 else 1 if value < 100 else 0  # noqa: PLR2004 -- said in the docstring
    return f"{value:.{digits}f} ms"
