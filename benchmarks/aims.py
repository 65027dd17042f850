"""What is aimed at, as ratios in one run: everything that `make bench` judges speed by.

They do not make a run fail: docs/performance.md says which are reached, and where the time of the
others goes.
"""

from benchmarks.report import Check

SUBMISSION_P50 = 1.5
SUBMISSION_P95 = 1.6
SUSTAINED = 0.7
"""Submissions a second for each bare workflow a second."""
FURTHER = 1.4
FURTHER_MS = 8.0
BUNDLE = 1.4
CATALOG_MS = 20.0
EMPTY_ROUTE = 3.0
IDLE_MB = 300.0


def at_most(name: str, found: float, aim: float, *, unit: str = "", note: str = "") -> Check:
    """Return the judgement of a figure that is not to exceed its aim."""
    more = f" ({note})" if note else ""
    return Check(f"{name}, at most {aim:g}{unit}", f"{found:.2f}{unit}{more}", found <= aim)


def at_least(name: str, found: float, aim: float) -> Check:
    """Return the judgement of a figure that is to reach its aim."""
    return Check(f"{name}, at least {aim:g}", f"{found:.2f}", found >= aim)
