"""A script of its own: gets the official Temporal program through the SDK into the given folder.

The SDK offers no download alone: it starts what it got, which is ended at once. As a process of
its own it can be given up after a while, whatever the network does.

Arguments: version (``v1.5.1``) and folder.
"""

import asyncio
import sys

from temporalio.testing import WorkflowEnvironment


async def download(version: str, folder: str) -> None:
    """Download into ``folder``; raises RuntimeError where the official address is out of reach."""
    server = await WorkflowEnvironment.start_local(
        download_dest_dir=folder, dev_server_download_version=version
    )
    await server.shutdown()


if __name__ == "__main__":
    try:
        asyncio.run(download(sys.argv[1], sys.argv[2]))
    except RuntimeError as error:
        sys.exit(str(error))
