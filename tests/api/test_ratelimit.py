import pytest

from api.ratelimit import RateLimiter, RateState, Replicas, address_caller
from pao.core.errors import ErrorCode, PaoError


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refusal(limiter: RateLimiter, caller: str) -> PaoError:
    with pytest.raises(PaoError) as caught:
        limiter.check(caller)
    return caught.value


def test_each_call_leaves_one_less(clock: Clock) -> None:
    limiter = RateLimiter(3, clock=clock)
    assert [limiter.check("ada").remaining for _ in range(3)] == [2, 1, 0]


def test_a_call_too_many_is_told_when_to_come_back(clock: Clock) -> None:
    limiter = RateLimiter(2, clock=clock)
    limiter.check("ada")
    clock.now += 20.5
    limiter.check("ada")
    error = refusal(limiter, "ada")
    assert error.code is ErrorCode.RATE_LIMIT_EXCEEDED
    assert error.status == 429
    assert error.headers == {
        "Retry-After": "40",
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "40",
    }


def test_a_minute_after_the_first_call_the_caller_is_welcome_again(clock: Clock) -> None:
    limiter = RateLimiter(1, clock=clock)
    limiter.check("ada")
    clock.now += 59
    refusal(limiter, "ada")
    clock.now += 1
    assert limiter.check("ada") == RateState(limit=1, remaining=0, reset_seconds=60)


def test_callers_do_not_share_their_calls(clock: Clock) -> None:
    limiter = RateLimiter(1, clock=clock)
    limiter.check("ada")
    limiter.check("grace")
    refusal(limiter, "ada")


@pytest.mark.parametrize(("replicas", "share"), [(1, 60), (4, 15), (7, 9), (100, 1)])
def test_replicas_divide_the_limit_and_round_up(replicas: int, share: int, clock: Clock) -> None:
    assert RateLimiter(60, replicas=Replicas(replicas), clock=clock).check("ada").limit == share


@pytest.mark.parametrize(("per_minute", "replicas"), [(0, 1), (60, 0)])
def test_a_limit_that_lets_nobody_in_is_refused(per_minute: int, replicas: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        RateLimiter(per_minute, replicas=Replicas(replicas))


def test_a_replica_that_comes_or_goes_changes_the_share_and_forgets_no_call(clock: Clock) -> None:
    replicas = Replicas()
    limiter = RateLimiter(10, replicas=replicas, clock=clock)
    for _ in range(4):
        limiter.check("ada")
    replicas.update_count(2)
    assert limiter.check("ada") == RateState(limit=5, remaining=0, reset_seconds=60)
    refusal(limiter, "ada")
    replicas.update_count(1)
    assert limiter.check("ada").remaining == 3


def test_what_cannot_be_counted_is_what_was_configured() -> None:
    replicas = Replicas(3)
    replicas.update_count(2)
    replicas.update_count(0)
    assert replicas.count == 3


def test_a_flood_of_callers_takes_bounded_memory(clock: Clock) -> None:
    limiter = RateLimiter(60, clock=clock)
    for number in range(50_010):
        limiter.check(f"address:{number}")
    assert len(limiter._window.storage._counts) == 50_000  # type: ignore[attr-defined]
    assert limiter.check("address:50009").remaining == 58
    assert limiter.check("address:0").remaining == 59


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", ""),
    ],
)
def test_these_addresses_are_one_caller(one: str, other: str) -> None:
    assert address_caller(one) == address_caller(other)


@pytest.mark.parametrize(
    ("one", "other"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")]
)
def test_these_addresses_are_two_callers(one: str, other: str) -> None:
    assert address_caller(one) != address_caller(other)
