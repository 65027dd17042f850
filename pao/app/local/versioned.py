"""Checks whether workers need a build id, as after `pao install`.

Temporal then routes requests to builds only. That is not reverted to workers without one: it would
be a person's choice, which the next `pao install` would have to respect.
"""

from temporalio.client import Client

from pao.app.local.build import own_build
from pao.clients.deployments import Deployment


async def needed_build(address: str, *, namespace: str, task_queue: str) -> str | None:
    """Return the id that a worker needs to get requests; None if workers have no versions.

    Raises the SDK's ``RPCError`` when Temporal does not answer.
    """
    deployment = Deployment(await Client.connect(address, namespace=namespace), task_queue)
    if not await deployment.was_chosen() or (await deployment.routing()).current is None:
        return None
    return own_build()
