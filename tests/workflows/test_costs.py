"""What a request costs in writes, events and bytes, which no machine's speed changes.

A figure that rises is a decision: say in the commit what it buys. One that falls is lowered here.
"""

import pytest

from tests.support.requests import new_request, ticket
from tests.support.worker import Workbench

# An action: scheduled, started, completed, and a workflow task with its mirror write.
EVENTS_EACH, EVENTS_ALL = 8, 20
# Its input and result, and the states that were written before and after.
BYTES_EACH, BYTES_ALL = 4_500, 9_000


@pytest.mark.parametrize("actions", [1, 2, 20])
async def test_one_write_at_the_start_and_one_after_each_action(
    bench: Workbench, actions: int
) -> None:
    plan = [ticket(f"t{n}", dependsOn=[f"t{n - 1}"] if n else []) for n in range(actions)]
    request = await bench.submit(new_request(*plan))
    row = await bench.reached(request, "completed")
    assert row["mirror_seq"] == actions + 1
    description = await bench.handle(request).describe()
    assert description.history_length <= EVENTS_ALL + EVENTS_EACH * actions
    size = description.raw_description.workflow_execution_info.history_size_bytes
    assert size <= BYTES_ALL + BYTES_EACH * actions
