"""A script that downloads the official Temporal program through the SDK into the given folder.

The SDK cannot only download: it starts the program, which is stopped at once. A separate process
can be killed after a timeout, whatever the network does.

Arguments: version (``v1.5.1``) and folder.
"""

import asyncio
import sys

from temporalio.testing import WorkflowEnvironment


async def download(version: str, folder: str) -> None:
    """Download into ``folder``; raises RuntimeError if the official address is unreachable."""
    server = await WorkflowEnvironment.start_local(
        download_dest_dir=folder, dev_server_download_version=version
    )
    await server.shutdown()


if __name__ == "__main__":
    try:
        asyncio.run(download(sys.argv[1], sys.argv[2]))
    except RuntimeError as error:
        sys.exit(str(error))
