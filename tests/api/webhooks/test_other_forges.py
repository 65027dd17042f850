"""Deliveries of forges that are read by git: which signatures count, and what a push is."""

import hmac
import json
from typing import Any

import pytest
from starlette.datastructures import Headers

from api.webhooks.events import Ignored, Push
from api.webhooks.service import KEPT_BYTES, Delivery, ForgeKind
from pao.core.errors import PaoError
from tests.api.webhooks.deliveries import NEW, OLD, PLACE, RecordedSignals, pieces, service
from tests.support.webhook_examples import SECRET

GITEA = {"ref": "refs/heads/main", "before": OLD, "after": NEW}
BRANCH = {"type": "branch", "name": "main"}


def cloud(**sides: Any) -> dict[str, Any]:
    """Return a push as Bitbucket Cloud tells it: what was there, and what is."""
    shown = {
        side: {**BRANCH, "target": {"hash": commit}} if isinstance(commit, str) else commit
        for side, commit in sides.items()
    }
    return {"push": {"changes": [shown]}}


def data_center(ref: str = "refs/heads/main", after: str = NEW) -> dict[str, Any]:
    return {"changes": [{"ref": {"id": ref}, "fromHash": OLD, "toHash": after}]}


def signed_headers(
    body: bytes, name: str = "x-hub-signature-256", start: str = "sha256="
) -> Headers:
    mac = hmac.digest(SECRET.encode(), body, "sha256").hex()
    usual = {"content-type": "application/json; charset=utf-8", "x-request-uuid": "u-1"}
    return Headers(usual | {name: f"{start}{mac}"})


async def deliver(
    heard: RecordedSignals, payload: Any, headers: Headers | None = None
) -> Ignored | None:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    delivery = Delivery(headers or signed_headers(body), "192.0.2.7", pieces(body))
    return await service(heard, place=PLACE).receive(ForgeKind.GIT, delivery)


@pytest.mark.parametrize(
    ("payload", "push"),
    [
        (GITEA, Push(NEW, OLD)),
        (GITEA | {"before": "0" * 40}, Push(NEW)),
        (GITEA | {"repository": {"full_name": "another/name"}}, Push(NEW, OLD)),
        (cloud(old=OLD, new=NEW), Push(NEW, OLD)),
        (cloud(old=None, new=NEW), Push(NEW)),
        (data_center(), Push(NEW, OLD)),
    ],
)
async def test_a_push_is_understood_whoever_tells_it(payload: Any, push: Push) -> None:
    heard = RecordedSignals()
    assert await deliver(heard, payload) is None
    assert heard.pushes == [(push, "git:u-1")]
    assert heard.counts == [("git", "accepted")]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (GITEA | {"ref": "refs/tags/main"}, "another branch or tag"),
        (GITEA | {"ref": ["refs/heads/main"]}, "another branch or tag"),
        (GITEA | {"after": "0" * 40}, "the branch was deleted"),
        (cloud(old=OLD, new=None), "the branch was deleted"),
        (cloud(old=None, new={"type": "tag", "name": "main"}), "another branch or tag"),
        (data_center("refs/heads/other"), "another branch or tag"),
        (data_center(after="0" * 40), "the branch was deleted"),
        # Opened pull requests, tests of the connection, and what is no such document.
        ({"ref": "main", "ref_type": "branch"}, "no push"),
        ({"action": "opened", "pull_request": {"head": {"sha": NEW}}}, "no push"),
        ({"test": True}, "no push"),
        ({"push": {"changes": None}, "changes": {"a": 1}}, "no push"),
        ({"changes": [1, None], "push": 5}, "another branch or tag"),
        ([], "the payload is not an object"),
    ],
)
async def test_what_does_not_move_the_branch_is_ignored(payload: Any, why: str) -> None:
    heard = RecordedSignals()
    assert await deliver(heard, payload) == Ignored(why)
    assert not heard.pushes


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("x-hub-signature-256", "sha256="),
        ("x-hub-signature", "sha256="),
        ("x-gitea-signature", ""),
        ("x-gogs-signature", ""),
    ],
)
async def test_each_forge_signs_in_a_header_of_its_own(name: str, start: str) -> None:
    body = json.dumps(GITEA).encode()
    heard = RecordedSignals()
    assert await deliver(heard, body, signed_headers(body, name, start)) is None
    # One digit less, the other notation, another body, twice, and beside one that is wrong.
    good = signed_headers(body, name, start)
    bad = [
        Headers({**good, name: good[name][:-1]}),
        Headers({**good, name: good[name].upper()}),
        signed_headers(body, name, "sha1=" if start else "sha256="),
        signed_headers(b"another", name, start),
        Headers(raw=[*good.raw, (name.encode(), good[name].encode())]),
    ]
    if name != "x-hub-signature-256":
        bad.append(Headers({**good, "x-hub-signature-256": "sha256=" + "0" * 64}))
    for headers in bad:
        with pytest.raises(PaoError) as refused:
            await deliver(heard, body, headers)
        assert refused.value.status == 401
    assert len(heard.pushes) == 1


@pytest.mark.parametrize("event", ["x-gitea-event: push", "x-event-key: repo:push"])
async def test_a_push_that_is_too_long_to_keep_is_a_reason_to_look(event: str) -> None:
    heard = RecordedSignals()
    body = b" " * (KEPT_BYTES + 1)
    name, _, value = event.partition(": ")
    await deliver(heard, body, Headers({**signed_headers(body), name: value}))
    assert heard.pushes == [(Push(), "git:u-1")]
    assert isinstance(await deliver(heard, body), Ignored)
