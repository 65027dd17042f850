"""Did you mean: the nearest known name to a wrong one."""

from collections.abc import Iterable
from functools import lru_cache

_MAX_LENGTH = 64


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the known name that is near the wrong one, or None where nothing is.

    Near is at most max(1, length of the wrong name // 3) edits, a swap of neighbours counting as
    one, case ignored; the nearest wins, ties go alphabetically (template-grammar, Errors). Names
    of more than 64 characters have no suggestion: comparing them costs too much.
    """
    if len(wrong) > _MAX_LENGTH:
        return None
    limit = max(1, len(wrong) // 3)
    ranked = sorted(
        (_edits(wrong.lower(), name.lower(), limit), name)
        for name in known
        if abs(len(name) - len(wrong)) <= limit
    )
    return ranked[0][1] if ranked and ranked[0][0] <= limit else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Write the suggestion as the end of a sentence: ``; did you mean 'x'?``, or nothing."""
    name = nearest(wrong, known)
    return f"; did you mean {name!r}?" if name else ""


@lru_cache(maxsize=4096)
def _edits(left: str, right: str, limit: int) -> int:
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit + 1:
            return limit + 1
    return row[-1]
