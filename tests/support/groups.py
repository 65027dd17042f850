"""Which tests run one after the other in one process, when several processes run them."""

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

FIRST = ("outages", "web a-h", "web i-z")
"""Groups of many files, which take longest: they begin first."""


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what hands out group by group: what the tests of a file share is started once."""
    made = LoadFileScheduling(config, log)
    made._split_scope = group_of
    return made


def group_of(nodeid: str) -> str:
    """Return the group of a test: that of a shared PAO or browser, otherwise its file."""
    file = nodeid.partition("::")[0]
    if file.startswith("tests/outages/"):
        return FIRST[0]
    if file.startswith("tests/web/"):
        # Two browsers: the files are divided by their first letters.
        return FIRST[1] if file.rpartition("/test_")[2] < "i" else FIRST[2]
    return file
