"""A replay passes to each call what it passed before: requests under way go on as they did.

Which calls a replay makes is compared by test_replay.py. What they carry decides what is done, what
is looked for, and what readers find in Postgres.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.histories.replayed import FILES, local_file, local_lines, recorded, replayed

# What earlier versions passed and this one does not, by paths within the inputs.
NO_LONGER = re.compile(
    r"\.context\.metadata$|\.context\.item\.definition\b|\.suggestedDecision\.reason$"
)
OF_ONE_HISTORY = {
    # The ticket's table has neither an action's error nor its times.
    "escalate.1": re.compile(r"\.input\.actions\[0\]\.(error|started_at|finished_at)$"),
    # An action with an empty dependsOn knew the outputs of those before it.
    "resumed.1": re.compile(r"\.input\.outputs\.first$"),
    # A target was asked to stop once only.
    "unattended-wait-cancelled.1": re.compile(r"^\.attempts$"),
}


def changed(held: Any, given: Any, path: str = "") -> list[str]:
    """Return the paths at which an input is not what the history holds; new fields may come."""
    if isinstance(held, dict) and isinstance(given, dict):
        common = [(held[key], given[key], f"{path}.{key}") for key in held if key in given]
        gone = [f"{path}.{key}" for key in held if key not in given]
        return [*gone, *(one for both in common for one in changed(*both))]
    if isinstance(held, list) and isinstance(given, list) and len(held) == len(given):
        pairs = enumerate(zip(held, given, strict=True))
        return [one for number, both in pairs for one in changed(*both, f"{path}[{number}]")]
    return [] if held == given else [path]


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in FILES])
async def test_a_replay_passes_what_it_passed(file: Path) -> None:
    calls, stored = await replayed(file), recorded(file)
    assert [name for name, _ in calls.remote] == [name for name, _ in stored]
    expected = OF_ONE_HISTORY.get(file.stem, NO_LONGER)
    for (name, held), (_, given) in zip(stored, calls.remote, strict=True):
        paths = [one for one in changed(held, given) if not NO_LONGER.search(one)]
        assert [one for one in paths if not expected.search(one)] == [], name
    # What was meant to change is written by python -m tests.histories.replayed: read its diff.
    assert local_lines(calls) == local_file(file).read_text().splitlines()


def test_each_history_has_its_local_calls_and_no_other() -> None:
    stored = {file.name for file in local_file(FILES[0]).parent.iterdir()}
    assert stored == {local_file(file).name for file in FILES}
