"""The measure that further actions are held against: a workflow of empty activities, and no PAO."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def empty() -> None:
    """Do nothing."""


@workflow.defn
class BareActions:
    """As many empty activities, one after the other or all at once."""

    @workflow.run
    async def run(self, count: int, parallel: bool) -> None:  # noqa: FBT001 -- a payload
        """Run them."""
        limit = timedelta(seconds=12)
        if parallel:
            await asyncio.gather(
                *(
                    workflow.execute_activity(empty, start_to_close_timeout=limit)
                    for _ in range(count)
                )
            )
            return
        for _ in range(count):
            await workflow.execute_activity(empty, start_to_close_timeout=limit)
