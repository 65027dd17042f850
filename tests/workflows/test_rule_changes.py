"""Changes of the rules that reach running requests: from which signal on they hold."""

from collections.abc import Sequence

import pytest

from tests.support.workflow_code import RUN, run_workflow_code
from workflows.versions import FromNextSignal, ReplayedSignals

ANOTHER = "another-run"


async def handled(change: FromNextSignal | ReplayedSignals) -> list[bool]:
    """Return what three signals are told, one after the other."""
    return [change.reached() for _ in range(3)]


@pytest.mark.parametrize(
    ("markers", "told"),
    [
        (None, [True] * 3),
        ([], [False] * 3),
        (["rules-1"], [True] * 3),
        (["rules-2"], [False, True, True]),
        (["rules-3"], [False, False, True]),
    ],
)
async def test_new_rules_hold_from_the_first_signal_that_no_earlier_version_has_handled(
    markers: Sequence[str] | None, told: list[bool]
) -> None:
    assert (
        await run_workflow_code(lambda: handled(FromNextSignal("rules")), markers=markers) == told
    )


@pytest.mark.parametrize(
    ("first_run", "markers", "told"),
    [
        (RUN, None, [False] * 3),
        (ANOTHER, None, [True] * 3),
        (ANOTHER, [], [False] * 3),
        (ANOTHER, ["again-3"], [False, False, True]),
        # During a replay, a reset may be taken for the run before.
        (RUN, ["again-2"], [False, True, True]),
        (RUN, ["again-3"], [False, False, True]),
    ],
)
async def test_a_signal_may_be_played_again_from_the_first_that_a_reset_handles_itself(
    first_run: str, markers: Sequence[str] | None, told: list[bool]
) -> None:
    again = await run_workflow_code(
        lambda: handled(ReplayedSignals("again")), first_run=first_run, markers=markers
    )
    assert again == told
