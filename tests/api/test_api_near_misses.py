"""A name that is nearly right is answered with the right one."""

from typing import Any

import httpx
import pytest

from tests.support.submissions import dns_body, error_of


def messages(answer: httpx.Response) -> dict[str, str]:
    return {one["field"]: one["message"] for one in error_of(answer)["details"]}


@pytest.mark.parametrize("path", ["/catalog/items/{}", "/catalog/items/{}/schema"])
@pytest.mark.parametrize("wrong", ["network-dns-recrd", "etwork-dns-record"])
def test_an_item_that_is_nearly_right(dana: httpx.Client, path: str, wrong: str) -> None:
    answer = dana.get(path.format(wrong))
    assert answer.status_code == 404
    assert "did you mean 'network-dns-record'?" in error_of(answer)["message"]


def test_an_item_that_is_nothing_like_any_other(dana: httpx.Client) -> None:
    answer = dana.get("/catalog/items/zzz")
    assert "did you mean" not in error_of(answer)["message"]
    assert "GET /api/v1/catalog lists all" in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("more", "place", "meant"),
    [
        ({"catalogItem": "x"}, "catalogItem", "catalogItemId"),
        ({"metadata": {"tag": []}}, "metadata.tag", "tags"),
    ],
)
def test_a_key_of_a_body_that_is_nearly_right(
    dana: httpx.Client, more: dict[str, Any], place: str, meant: str
) -> None:
    answer = dana.post("/requests", json=dns_body() | more)
    assert answer.status_code == 422
    assert f"did you mean {meant!r}?" in messages(answer)[place]


def test_a_key_that_is_nothing_like_any_other_is_to_be_left_out(dana: httpx.Client) -> None:
    answer = dana.post("/requests", json=dns_body() | {"zzz": 1})
    assert messages(answer) == {"zzz": "there is no key 'zzz' here; leave it out"}


def test_a_status_that_is_nearly_right(dana: httpx.Client) -> None:
    for given in ("faild", "completed,faild"):
        answer = dana.get("/requests", params={"status": given})
        assert answer.status_code == 400
        known = "submitted, in_progress, completed, failed, aborted, escalated"
        assert messages(answer) == {"status": f"'faild' is none of {known}; did you mean 'failed'?"}


@pytest.mark.parametrize(
    ("method", "path", "more", "told"),
    [
        ("POST", "/test/variables", {"json": {}}, "provide either catalogItemId or item"),
        (
            "GET",
            "/requests",
            {"params": {"since": "1700000000"}},
            "write a time such as 2026-01-31T08:00:00Z",
        ),
    ],
)
def test_what_a_rule_of_ours_says_is_told_as_it_is_written(
    dana: httpx.Client, method: str, path: str, more: dict[str, Any], told: str
) -> None:
    assert list(messages(dana.request(method, path, **more)).values()) == [told]
