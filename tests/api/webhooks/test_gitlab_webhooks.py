"""Deliveries of GitLab: signed, with a plain token, and about what."""

import json
import time
from typing import Any

import pytest

from api.webhooks.events import Ignored, Proposal, Push
from tests.api.webhooks.deliveries import (
    GITLAB,
    NEW,
    OLD,
    RecordedSignals,
    deliver,
    push,
    service,
    status,
)
from tests.support.webhook_examples import SECRET, SIGNING, gitlab_signature


def gitlab(body: bytes, event: str = "Push Hook", *, stamp: int | None = None) -> dict[str, str]:
    at = int(time.time()) if stamp is None else stamp
    return {
        "content-type": "application/json",
        "x-gitlab-event": event,
        "webhook-id": "m-1",
        "webhook-timestamp": str(at),
        "webhook-signature": gitlab_signature(body, stamp=at),
    }


async def test_a_signed_delivery_of_gitlab_is_taken() -> None:
    heard = RecordedSignals()
    to = service(heard, secrets=[SIGNING])
    body = json.dumps(push()).encode()
    await deliver(to, None, body=body, headers=gitlab(body), forge=GITLAB)
    other = gitlab_signature(body, stamp=1)
    several = gitlab(body)["webhook-signature"] + f" v1a,x {other} v1,*"
    headers = gitlab(body) | {"webhook-signature": several}
    await deliver(to, None, body=body, headers=headers, forge=GITLAB)
    assert heard.pushes == [(Push(NEW, OLD), "gitlab:m-1")] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-timestamp": str(int(time.time()) - 301)},
        {"webhook-timestamp": "now"},
        {"webhook-id": "m-2"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "", "x-gitlab-token": SIGNING},
        {"webhook-signature": "v1,\xe9"},
    ],
)
async def test_a_signature_of_gitlab_that_does_not_fit_is_refused(
    changes: dict[str, str],
) -> None:
    body = json.dumps(push()).encode()
    to = service(RecordedSignals(), secrets=[SIGNING])
    headers = gitlab(body) | changes
    assert await status(to, body=body, headers=headers, forge=GITLAB) == 401


async def test_an_old_delivery_cannot_be_replayed() -> None:
    body = json.dumps(push()).encode()
    for offset in (-301, 301):
        headers = gitlab(body, stamp=int(time.time()) + offset)
        to = service(RecordedSignals(), secrets=[SIGNING])
        assert await status(to, body=body, headers=headers, forge=GITLAB) == 401


async def test_a_plain_token_of_gitlab_is_compared_and_a_signing_secret_is_none() -> None:
    heard = RecordedSignals()
    body = json.dumps(push()).encode()
    plain = {"content-type": "application/json", "x-gitlab-event": "Push Hook"}
    to = service(heard)
    await deliver(to, None, body=body, headers=plain | {"x-gitlab-token": SECRET}, forge=GITLAB)
    assert len(heard.pushes) == 1
    for token in ("", "x", SECRET.upper(), f"{SECRET} "):
        headers = plain | {"x-gitlab-token": token}
        assert await status(to, body=body, headers=headers, forge=GITLAB) == 401
    signing = service(heard, secrets=[SIGNING])
    headers = plain | {"x-gitlab-token": SIGNING}
    assert await status(signing, body=body, headers=headers, forge=GITLAB) == 401
    # A plain secret signs nothing, and neither does a signing token without a key.
    headers = gitlab(body) | {"x-gitlab-token": SECRET}
    assert await status(to, body=body, headers=headers, forge=GITLAB) == 401
    at = int(headers["webhook-timestamp"])
    headers["webhook-signature"] = gitlab_signature(body, stamp=at, secret="whsec_")
    to = service(heard, secrets=["whsec_"])
    assert await status(to, body=body, headers=headers, forge=GITLAB) == 401


@pytest.mark.parametrize(
    ("event", "changes", "expected"),
    [
        ("Push Hook", {"ref": "refs/heads/x"}, "another branch or tag"),
        ("Tag Push Hook", {}, "event Tag Push Hook"),
        ("Push Hook", {"project": {"path_with_namespace": "a/b"}}, "another repository"),
        ("Push Hook", {"after": "0" * 40}, "the branch was deleted"),
        ("Merge Request Hook", {}, "another branch"),
    ],
)
async def test_other_events_of_gitlab_are_ignored(
    event: str, changes: dict[str, Any], expected: str
) -> None:
    body = json.dumps(push(**changes)).encode()
    to = service(RecordedSignals(), secrets=[SIGNING])
    found = await deliver(to, None, body=body, headers=gitlab(body, event), forge=GITLAB)
    assert found == Ignored(expected)


async def test_a_merge_request_into_the_branch_is_judged() -> None:
    heard = RecordedSignals()
    merge = {
        "object_kind": "merge_request",
        "project": {"path_with_namespace": "acme/catalog"},
        "object_attributes": {
            "action": "update",
            "target_branch": "main",
            "iid": 12,
            "last_commit": {"id": NEW},
        },
    }
    body = json.dumps(merge).encode()
    to = service(heard, secrets=[SIGNING])
    headers = gitlab(body, "Merge Request Hook")
    assert await deliver(to, None, body=body, headers=headers, forge=GITLAB) is None
    assert heard.proposals == [Proposal(12, NEW)]
