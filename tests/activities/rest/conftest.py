"""An action of type rest-api that is executed on stage."""

from collections.abc import AsyncIterator

import pytest

from activities.actions.rest_api import RestApiAction
from tests.support.actions import ActionRunner
from tests.support.rest_calls import SECRETS


@pytest.fixture
async def stage() -> AsyncIterator[ActionRunner]:
    made = ActionRunner(RestApiAction(), secrets=SECRETS)
    yield made
    await made.close()
