"""Configurations of REST calls for tests, and what was sent."""

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from tests.support.actions import ActionRunner
from tests.support.raw_servers import RawServer

SECRETS = {"token": "s3cret-token-value", "other": "an0ther-secret"}


def config(server: RawServer, path: str = "/things", **more: Any) -> dict[str, Any]:
    return {"endpoint": {"url": f"{server.url}{path}"}, **more}


def sent(server: RawServer, number: int = -1) -> tuple[str, dict[str, str], bytes]:
    head, _, body = server.requests[number].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return first, headers, body


async def refused(stage: ActionRunner, given: dict[str, Any], **fields: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await stage.execute(stage.request(given, **fields))
    return caught.value
