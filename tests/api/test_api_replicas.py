"""API processes share the rate limits out among those that live."""

from pathlib import Path

from tests.support.callers import DANA
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack, wait_until

LIMIT = {"RATE_LIMIT_REQUESTS_PER_MINUTE": "1000", "PAO_REPLICAS": "4"}


def share(stack: Stack) -> int:
    return int(stack.caller(DANA).get("/requests").headers["RateLimit-Limit"])


def test_processes_share_the_limit_as_they_come_and_go(
    database: Database, temporal_address: str, tmp_path: Path
) -> None:
    options = {"environ": LIMIT, "with_worker": False}
    with running_stack(database, temporal_address, tmp_path / "one", **options) as one:
        wait_until(lambda: share(one) == 1000)
        with running_stack(database, temporal_address, tmp_path / "two", **options) as two:
            wait_until(lambda: share(one) == share(two) == 500)
        wait_until(lambda: share(one) == 1000)
