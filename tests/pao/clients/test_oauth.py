"""Access tokens of OAuth 2: what counts as one, and for how long."""

from typing import Any

import pytest

from pao.clients.oauth import read_token


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
        read_token(document)


@pytest.mark.parametrize(
    ("seconds", "fresh"),
    [(3600, True), ("3600", True), (5, True), (-5, False), (None, True), ("soon", True)],
)
def test_a_token_is_kept_until_shortly_before_its_end(seconds: Any, *, fresh: bool) -> None:
    assert read_token({"access_token": "token", "expires_in": seconds}).fresh is fresh


def test_a_token_does_not_show_in_its_repr() -> None:
    assert "s3cret" not in repr(read_token({"access_token": "s3cret"}))
