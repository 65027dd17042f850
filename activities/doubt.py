"""How long an empty answer of an index proves nothing: while the doubt is younger than its lag."""

from datetime import UTC, datetime

# What a look waits where nobody has told since when there is a doubt, as workflows of old.
UNTOLD_SECONDS = 1.0


def settles_in(lag: float, *, unclear: bool, since: str | None) -> float:
    """Return after how many seconds an empty answer is certain; 0 where it is so now.

    ``lag`` is how many seconds an index may be behind what it lists; ``since`` is when the attempt
    ended whose effect is in doubt, none of which can have come later.
    """
    if not unclear:
        return 0.0
    if since is None:
        return min(lag, UNTOLD_SECONDS)
    age = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
    return max(lag - max(age, 0.0), 0.0)
