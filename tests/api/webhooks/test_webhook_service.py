"""Deliveries of GitHub: which are genuine, what follows from them, how much is read."""

import json
from typing import Any

import pytest
from starlette.datastructures import Headers

from api.webhooks.events import CatalogBranch, Ignored, Proposal, Push
from api.webhooks.service import KEPT_BYTES, MOST_BYTES, Delivery
from pao.core.errors import PaoError
from tests.api.webhooks.deliveries import (
    GITHUB,
    GITLAB,
    NEW,
    OLD,
    RecordedSignals,
    deliver,
    pieces,
    push,
    service,
    status,
)
from tests.support.webhook_examples import SECRET, github_examples, github_headers

BASE = {"ref": "main"}
AGAIN = "no catalog check was requested again"


def pull(**changes: Any) -> dict[str, Any]:
    whole = {
        "action": "opened",
        "number": 7,
        "pull_request": {"base": {"ref": "main"}, "head": {"sha": NEW}},
        "repository": {"full_name": "acme/catalog"},
    }
    return whole | changes


def merge_group(**changes: Any) -> dict[str, Any]:
    group = {
        "head_sha": NEW,
        "head_ref": f"refs/heads/gh-readonly-queue/main/pr-104-{OLD}",
        "base_ref": "refs/heads/main",
        "base_sha": OLD,
    }
    return {
        "action": "checks_requested",
        "merge_group": group | changes,
        "repository": {"full_name": "acme/catalog"},
    }


def rerequest(**changes: Any) -> dict[str, Any]:
    check = {"name": "pao/catalog", "head_sha": NEW, "pull_requests": []}
    whole = {"action": "rerequested", "check_run": check, "check_suite": check}
    return whole | {"repository": {"full_name": "acme/catalog"}} | changes


async def test_every_published_payload_is_taken() -> None:
    heard = RecordedSignals()
    to = service(heard)
    taken = [await deliver(to, payload, event) for event, payload in github_examples()]
    assert len(taken) == 329
    assert all(isinstance(one, Ignored) for one in taken)
    assert heard.counts == [("github", "ignored")] * 329


async def test_published_payloads_of_the_catalogs_repository_are_understood() -> None:
    heard = RecordedSignals()
    to = service(heard, place=CatalogBranch("codertocat/hello-world", "master"))
    for event, payload in github_examples():
        await deliver(to, payload, event)
    assert {one.number for one in heard.proposals} == {2}
    assert all(len(one.commit) == 40 for one in heard.proposals)


async def test_the_vector_of_the_documentation_is_verified() -> None:
    vector = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-hub-signature-256": f"sha256={vector}",
    }
    to = service(RecordedSignals(), secrets=["It's a Secret to Everybody"])
    # Genuine, and then no JSON: 400 rather than 401.
    assert await status(to, body=b"Hello, World!", headers=headers) == 400
    assert await status(to, body=b"Hello, World?", headers=headers) == 401


def _bad(signature: str) -> dict[str, str]:
    return {
        "upper case": signature.upper(),
        "upper digits": f"sha256={signature[7:].upper()}",
        "63 digits": signature[:-1],
        "65 digits": f"{signature}0",
        "no name": signature[7:],
        "sha1": f"sha1={signature[7:47]}",
        "empty": "",
        "no ascii": "sha256=" + "\u0661" * 64,
        "latin": "sha256=" + "\xe9" * 64,
        "spaces": f" {signature}",
        "another": f"sha256={'0' * 64}",
    }


@pytest.mark.parametrize("kind", _bad("sha256=" + "a" * 64))
async def test_a_bad_signature_is_refused(kind: str) -> None:
    heard = RecordedSignals()
    body = json.dumps(push()).encode()
    good = github_headers("push", body)
    bad = _bad(good["x-hub-signature-256"])[kind]
    raw = [(b"x-hub-signature-256", bad.encode("utf-8"))]
    raw += [
        (name.encode(), value.encode())
        for name, value in good.items()
        if name != "x-hub-signature-256"
    ]
    delivery = Delivery(Headers(raw=raw), "192.0.2.7", pieces(body))
    with pytest.raises(PaoError) as refused:
        await service(heard).receive(GITHUB, delivery)
    assert refused.value.status == 401
    assert heard.counts == [("github", "unsigned")]
    assert not heard.pushes


async def test_a_signature_is_needed_once_and_of_our_secret() -> None:
    body = json.dumps(push()).encode()
    to, good = service(RecordedSignals()), github_headers("push", body)
    without = {name: value for name, value in good.items() if "signature" not in name}
    assert await status(to, headers=without) == 401
    assert await status(to, headers=without | {"x-hub-signature": "sha1=" + "0" * 40}) == 401
    assert await status(to, headers=github_headers("push", body, secret="other")) == 401
    twice = Headers(raw=[(k.encode(), v.encode()) for k, v in [*good.items(), *good.items()]])
    with pytest.raises(PaoError):
        await to.receive(GITHUB, Delivery(twice, "192.0.2.7", pieces(body)))


async def test_two_secrets_count_while_they_are_rotated() -> None:
    heard = RecordedSignals()
    to = service(heard, secrets=["the next one", SECRET])
    body = json.dumps(push()).encode()
    for secret in ("the next one", SECRET):
        await deliver(to, None, body=body, headers=github_headers("push", body, secret=secret))
    assert len(heard.pushes) == 2


async def test_a_push_to_the_branch_is_told_with_its_delivery() -> None:
    heard = RecordedSignals()
    assert await deliver(service(heard), push()) is None
    assert heard.pushes == [(Push(NEW, OLD), "github:d-1")]
    assert heard.counts == [("github", "accepted")]
    first = push(before="0" * 40)
    await deliver(service(heard), first)
    assert heard.pushes[-1][0] == Push(NEW, None)


@pytest.mark.parametrize(
    ("event", "payload", "why"),
    [
        ("push", push(ref="refs/heads/Main"), "another branch or tag"),
        ("push", push(ref="refs/heads/main2"), "another branch or tag"),
        ("push", push(ref="refs/tags/main"), "another branch or tag"),
        ("push", push(ref="main"), "another branch or tag"),
        ("push", push(repository={"full_name": "fork/catalog"}), "another repository"),
        ("push", push(repository=None), "another repository"),
        ("push", push(after="0" * 40), "the branch was deleted"),
        ("push", push(after=None), "the branch was deleted"),
        ("push", push(after=["b"]), "the branch was deleted"),
        ("push", [1, 2], "the payload is not an object"),
        ("ping", {"zen": "x"}, "event ping"),
        ("", push(), "event unnamed"),
        ("pull_request", pull(action="closed"), "nothing new to check"),
        ("pull_request", pull(number=True), "nothing new to check"),
        ("pull_request", pull(pull_request={"base": {"ref": "x"}}), "another branch"),
        ("pull_request", pull(repository={"full_name": "a/b"}), "another repository"),
        ("merge_group", merge_group(base_ref="refs/heads/next"), "another branch"),
        ("merge_group", merge_group(head_sha="x"), "nothing new to check"),
        ("merge_group", merge_group() | {"action": "destroyed"}, "nothing new to check"),
        ("merge_group", merge_group() | {"merge_group": None}, "another branch"),
        ("check_run", rerequest(action="created"), AGAIN),
        ("check_run", rerequest(check_run={"name": "build", "head_sha": NEW}), AGAIN),
        ("check_run", rerequest(check_run=None), AGAIN),
        ("check_suite", rerequest(action="completed"), AGAIN),
        ("check_run", rerequest(repository={"full_name": "a/b"}), "another repository"),
    ],
)
async def test_what_is_not_about_the_catalog_is_ignored(event: str, payload: Any, why: str) -> None:
    heard = RecordedSignals()
    ignored = await deliver(service(heard), payload, event)
    assert ignored == Ignored(why)
    assert not heard.pushes
    assert not heard.proposals


async def test_a_pull_request_into_the_branch_is_judged() -> None:
    heard = RecordedSignals()
    await deliver(service(heard), pull(action="synchronize"), "pull_request")
    assert heard.proposals == [Proposal(7, NEW)]


async def test_what_a_merge_queue_tests_is_judged() -> None:
    """A queue waits for every check that the branch requires, and so for this one."""
    heard = RecordedSignals()
    await deliver(service(heard), merge_group(), "merge_group")
    await deliver(service(heard), merge_group(head_ref="x", base_ref="main"), "merge_group")
    assert heard.proposals == [Proposal(104, NEW), Proposal(None, NEW)]


@pytest.mark.parametrize(
    ("event", "pulls", "number"),
    [
        ("check_run", [{"number": 3, "base": {"ref": "x"}}, {"number": 7, "base": BASE}], 7),
        ("check_run", [], None),
        ("check_suite", None, None),
        ("check_suite", [{"number": True, "base": BASE}, 5], None),
    ],
)
async def test_a_check_that_is_asked_for_again_is_made_again(
    event: str, pulls: Any, number: int | None
) -> None:
    heard = RecordedSignals()
    check = {"name": "pao/catalog", "head_sha": NEW, "pull_requests": pulls}
    await deliver(service(heard), rerequest(**{event: check}), event)
    assert heard.proposals == [Proposal(number, NEW, again=True)]


async def test_nothing_is_open_without_a_secret() -> None:
    to = service(RecordedSignals(), secrets=[])
    assert await status(to) == 404
    assert await status(to, forge=GITLAB, headers={"x-gitlab-token": ""}) == 404


async def test_a_catalog_from_elsewhere_ignores_everything() -> None:
    ignored = await deliver(service(RecordedSignals(), place=None), push())
    assert ignored == Ignored("the catalog does not come from github")


async def test_a_form_or_a_broken_document_is_the_senders_fault() -> None:
    to = service(RecordedSignals())
    body = b"payload=%7B%7D"
    headers = github_headers("push", body) | {"content-type": "application/x-www-form-urlencoded"}
    assert await status(to, body=body, headers=headers) == 400
    for bad in (b"", b"{", b"\xff", b"[" * 200_000):
        assert await status(to, body=bad) == 400


async def test_temporal_away_is_told_so_that_it_is_delivered_again() -> None:
    heard = RecordedSignals(away=True)
    assert await status(service(heard)) == 503
    assert heard.counts == [("github", "failed")]


async def test_a_push_that_is_too_long_to_keep_is_still_verified_and_looked_at() -> None:
    heard = RecordedSignals()
    body = b" " * (KEPT_BYTES + 1)
    await deliver(service(heard), None, body=body)
    assert heard.pushes == [(Push(), "github:d-1")]
    assert await status(service(heard), body=body, headers=github_headers("push", b"x")) == 401
    ignored = await deliver(service(heard), None, "issues", body=body)
    assert "longer than what is read" in str(ignored)


async def test_a_delivery_is_bounded_in_bytes_and_time() -> None:
    to = service(RecordedSignals(), seconds=600)
    chunk = b" " * (5 * 1024 * 1024)
    huge = Delivery(Headers({}), "192.0.2.7", pieces(*[chunk] * 6))
    with pytest.raises(PaoError) as refused:
        await to.receive(GITHUB, huge)
    assert refused.value.status == 413
    declared = Headers({"content-length": str(MOST_BYTES + 1)})
    with pytest.raises(PaoError) as refused:
        await to.receive(GITHUB, Delivery(declared, "192.0.2.7", pieces()))
    assert refused.value.status == 413
    hasty = service(RecordedSignals(), seconds=0.2)
    with pytest.raises(PaoError) as refused:
        await hasty.receive(GITHUB, Delivery(Headers({}), "192.0.2.7", pieces(b"a", pause=600)))
    assert refused.value.status == 408


async def test_an_address_that_sends_too_much_is_stopped_before_anything_is_hashed() -> None:
    heard = RecordedSignals()
    to = service(heard, per_minute=3)
    for _ in range(3):
        assert await status(to, headers={}) == 401
    assert await status(to) == 429
    other = Delivery(Headers({}), "198.51.100.1", pieces(b""))
    with pytest.raises(PaoError) as refused:
        await to.receive(GITHUB, other)
    assert refused.value.status == 401
