"""Access tokens of OAuth 2: what counts as one, and for how long."""

import json
from itertools import count
from typing import Any

import pytest

from pao.clients.oauth import AccessToken, TokenCache, read_token


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


async def test_an_expired_token_is_fetched_anew() -> None:
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
