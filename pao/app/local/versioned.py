"""Whether the workers of a state folder need a build id: `pao install` gives them one.

Temporal then gives requests to builds only. It is not set back to workers without: that would be a
person's choice, which the next `pao install` would have to respect.
"""

from temporalio.client import Client

from pao.app.local.build import own_build
from pao.clients.deployments import Deployment


async def needed_build(address: str, *, namespace: str, task_queue: str) -> str | None:
    """Return the id that a worker needs to get requests; None where workers have no versions.

    Raises the SDK's ``RPCError`` when Temporal does not answer.
    """
    deployment = Deployment(await Client.connect(address, namespace=namespace), task_queue)
    if not await deployment.was_chosen() or (await deployment.routing()).current is None:
        return None
    return own_build()
