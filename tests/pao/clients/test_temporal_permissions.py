"""What a Temporal server keeps to its operators does not count as an outage."""

import contextlib

import pytest
from temporalio.client import Client
from temporalio.service import RPCStatusCode

from pao.clients.temporal import TemporalUnavailableError
from pao.clients.temporal_server import TemporalServer
from tests.support.refusing_temporal import RefusingTemporal

# A busy machine may not answer within the second that health waits.
ATTEMPTS = 5


async def missing(status: RPCStatusCode) -> list[str]:
    with RefusingTemporal(status.value) as server:
        client = await Client.connect(server.address, lazy=True)
        asked = TemporalServer(client, "pao")
        for _ in range(ATTEMPTS):
            with contextlib.suppress(TemporalUnavailableError):
                return await asked.missing_search_attributes()
        return await asked.missing_search_attributes()


@pytest.mark.parametrize(
    "status", [RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED], ids=str
)
async def test_a_list_of_search_attributes_that_is_not_shown_lacks_none(
    status: RPCStatusCode,
) -> None:
    assert await missing(status) == []


async def test_a_server_that_is_away_is() -> None:
    with pytest.raises(TemporalUnavailableError):
        await missing(RPCStatusCode.UNAVAILABLE)
