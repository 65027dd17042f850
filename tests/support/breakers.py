"""Circuit breakers for tests: three failures open them, and calls that fail or succeed."""

import pytest

from activities.action_errors import ActionFailedError
from activities.breakers import BreakerLimits, BreakerOptions, Breakers, SharedBreakerStore
from db.session import Database
from pao.core.errors import ErrorCode

TARGET = "api.example.com"
AWAY = {"code": ErrorCode.EXTERNAL_SERVICE_ERROR, "retryable": True}


def breakers(db: Database | None, **options: BreakerLimits) -> Breakers:
    given = BreakerOptions(
        limits=BreakerLimits(failures=3, seconds=30),
        limits_by_target=options,
        trust_seconds=0,
        titles={"jira:default": "JIRA"},
    )
    return Breakers(shared(db) if db else None, given)


def shared(db: Database) -> SharedBreakerStore:
    """The store of all processes; on a busy machine it is waited for."""
    return SharedBreakerStore(db, answer_seconds=30)


async def fail(of: Breakers, target: str = TARGET, *, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(ActionFailedError, match="it is down"):
            async with of.guard(target):
                raise ActionFailedError("it is down", **AWAY)  # type: ignore[arg-type]


async def succeed(of: Breakers, target: str = TARGET) -> None:
    async with of.guard(target):
        pass
