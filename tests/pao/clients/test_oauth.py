"""Access tokens of OAuth 2: what counts as one, and for how long."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from pao.clients.oauth import AccessToken, TokenBusyError, TokenCache, read_token


def answered(**document: Any) -> AccessToken:
    return read_token(json.dumps(document).encode())


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "token",
        {},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "to\nken"},
        {"access_token": "token", "token_type": "mac"},
    ],
)
def test_what_cannot_be_sent_as_a_bearer_token_is_none(document: Any) -> None:
    with pytest.raises(ValueError, match="holds no bearer token"):
        read_token(json.dumps(document).encode())


def test_what_is_no_json_is_no_token() -> None:
    with pytest.raises(ValueError, match="holds no bearer token"):
        read_token(b"<html>")


@pytest.mark.parametrize(
    ("seconds", "fresh"),
    [
        (3600, True),
        ("3600", True),
        (5, True),
        (-5, False),
        (None, True),
        ("soon", True),
        (True, True),
        (10**400, True),
    ],
)
def test_a_token_is_kept_until_shortly_before_its_end(seconds: Any, *, fresh: bool) -> None:
    assert answered(access_token="token", expires_in=seconds).is_fresh is fresh


def test_a_token_does_not_show_in_its_repr() -> None:
    assert "s3cret" not in repr(answered(access_token="s3cret"))


class Issuer:
    """Issues numbered tokens that last for ``seconds``."""

    def __init__(self, seconds: int | None = None) -> None:
        self._seconds = seconds
        self._numbers = count(1)

    async def issue(self) -> AccessToken:
        token = f"token-{next(self._numbers)}"
        return answered(access_token=token, expires_in=self._seconds)


async def test_a_cached_token_serves_its_key_alone() -> None:
    cache, issuer = TokenCache(), Issuer(3600)
    found = [await cache.token(key, issuer.issue) for key in ("a", "b", "a")]
    assert found == ["token-1", "token-2", "token-1"]


async def test_an_expired_token_is_fetched_again() -> None:
    cache, issuer = TokenCache(), Issuer(-5)
    assert await cache.token("a", issuer.issue) == "token-1"
    assert await cache.token("a", issuer.issue) == "token-2"


async def test_a_refused_token_is_dropped_but_not_its_successor() -> None:
    cache, issuer = TokenCache(), Issuer()
    refused = await cache.token("a", issuer.issue)
    for _ in range(2):
        cache.forget("a", refused)
        assert await cache.token("a", issuer.issue) == "token-2"
    cache.forget("never seen", refused)


async def test_what_was_not_fetched_is_not_cached() -> None:
    cache, issuer = TokenCache(), Issuer()

    async def fail() -> AccessToken:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await cache.token("a", fail)
    assert await cache.token("a", issuer.issue) == "token-1"


async def test_tasks_that_need_a_token_at_once_fetch_it_once() -> None:
    cache, issuer, released = TokenCache(), Issuer(3600), asyncio.Event()

    async def fetch() -> AccessToken:
        await released.wait()
        return await issuer.issue()

    waiting = [asyncio.create_task(cache.token("a", fetch)) for _ in range(3)]
    await asyncio.sleep(0)
    assert await cache.token("b", issuer.issue) == "token-1"
    released.set()
    assert await asyncio.gather(*waiting) == ["token-2"] * 3


async def test_a_task_does_not_wait_longer_than_its_time_for_a_token() -> None:
    cache, issuer, released = TokenCache(), Issuer(3600), asyncio.Event()

    async def fetch() -> AccessToken:
        await released.wait()
        return await issuer.issue()

    first = asyncio.create_task(cache.token("a", fetch))
    await asyncio.sleep(0)
    with pytest.raises(TokenBusyError):
        await cache.token("a", issuer.issue, seconds=0)
    released.set()
    assert await first == "token-1"
    assert await cache.token("a", issuer.issue, seconds=0) == "token-1"


def test_threads_fetch_a_token_one_at_a_time() -> None:
    cache, fetching, released, numbers = (
        TokenCache(),
        threading.Event(),
        threading.Event(),
        count(1),
    )

    def fetch() -> AccessToken:
        fetching.set()
        released.wait()
        return answered(access_token=f"token-{next(numbers)}", expires_in=3600)

    def token(**options: Any) -> str:
        return cache.token_in_thread("a", fetch, **{"seconds": 60, **options})

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(token)
        fetching.wait()
        with pytest.raises(TokenBusyError):
            token(seconds=0)
        second = threads.submit(token)
        released.set()
        assert first.result() == second.result() == "token-1"
    assert token(instead_of="token-1") == token(instead_of="token-1") == "token-2"
