"""A provider for the tests of signing in; each test finds it as new."""

from collections.abc import AsyncIterator, Iterator

import pytest

from pao.clients.bounded_http import BoundedHttp
from tests.support.issuer import Issuer


@pytest.fixture(scope="package")
def running_issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(running_issuer: Issuer) -> Issuer:
    running_issuer.reset()
    return running_issuer


@pytest.fixture
async def http() -> AsyncIterator[BoundedHttp]:
    http = BoundedHttp()
    yield http
    await http.close()
