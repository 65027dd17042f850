"""One decision about several requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.pao.app.cli.scripted import (
    Answer,
    Call,
    Pao,
    Service,
    answered,
    cut_off,
    failed_request,
    refused,
    request,
)
from tests.pao.app.cli.terminals import Terminal

IDS = [f"{number}b0c2f6e-3d5a-4a53-9d0a-0f6e5b7d1c11" for number in range(3)]
WHY = ("--reason", "The target is back")

OnTerminal = Callable[..., Terminal]


def failed(ident: str, **more: Any) -> dict[str, Any]:
    return failed_request() | {"id": ident, "title": f"database {ident[0]}", "attempt": 2} | more


def done(ident: str) -> dict[str, Any]:
    return request() | {"id": ident, "title": f"database {ident[0]}"}


@pytest.fixture
def waiting(service: Service) -> None:
    """Three failed requests, all of which a retry would complete."""
    for ident in IDS:
        service.on("GET", f"/requests/{ident}", failed(ident))
        service.on("POST", f"/requests/{ident}/retry", done(ident))
    rows = [failed(ident) for ident in IDS]
    service.on("GET", "/requests", {"data": rows, "pagination": {"hasMore": False}})


def retries(service: Service) -> list[Call]:
    return [call for call in service.calls if call.path.endswith("/retry")]


@pytest.mark.usefixtures("waiting")
def test_each_request_is_decided_by_a_call_of_its_own(pao: Pao, service: Service) -> None:
    result = pao("request", "retry", *IDS, IDS[0], *WHY)

    assert result.exit_code == 0, result.output
    calls = retries(service)
    assert [call.path.split("/")[-2] for call in calls] == IDS
    assert all(call.body == {"reason": WHY[1], "attempt": 2} for call in calls)
    assert len({call.headers["idempotency-key"] for call in calls}) == 3
    assert f"{IDS[1]}  ✓ completed  database 1" in result.stdout
    assert "3 requests: 3 completed" in result.stdout


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refused(409, "INVALID_STATE_TRANSITION", "It is aborted."), "✗ refused  database 1"),
        (answered(failed(IDS[1])), "✗ failed  database 1"),
    ],
)
def test_one_that_is_refused_or_fails_again_holds_up_no_other(
    pao: Pao, service: Service, answer: Answer, told: str
) -> None:
    service.on("POST", f"/requests/{IDS[1]}/retry", answer)

    result = pao("request", "retry", *IDS, *WHY)

    assert result.exit_code == 1
    assert len(retries(service)) == 3
    assert told in result.stdout
    assert "2 completed, 1 " in result.stdout


@pytest.mark.usefixtures("waiting")
def test_a_script_gets_what_became_of_each(pao: Pao, service: Service) -> None:
    answer = refused(403, "FORBIDDEN", "Only admins decide about this request.")
    service.on("POST", f"/requests/{IDS[1]}/retry", answer)

    result = pao("request", "retry", *IDS, *WHY, "-o", "json")

    assert result.exit_code == 1
    rows = json.loads(result.stdout)["data"]
    assert [row["outcome"] for row in rows] == ["decided", "refused", "decided"]
    assert rows[1]["error"]["code"] == "FORBIDDEN"
    assert rows[2]["status"] == "completed"


@pytest.mark.usefixtures("waiting")
def test_all_that_the_filters_select_are_shown_and_asked_about(
    on_terminal: OnTerminal, service: Service
) -> None:
    options = ("--all", "--item", "db", "--cause", "target-down")
    terminal = on_terminal("request", "retry", *options, *WHY, NO_COLOR="1")
    terminal.wait_for("Retry 3 requests? [y/N]: ")
    for ident in IDS:
        shown = f"{ident[:8]}  ✗ failed  database {ident[0]}  "
        assert any(line.startswith(shown) for line in terminal.lines)
    assert retries(service) == []
    terminal.type("y")

    assert terminal.ends_with() == 0
    assert "0b0c2f6e  ✓ completed  database 0" in terminal.lines
    assert len(retries(service)) == 3
    [listed] = service.calls_of("GET", "/requests")
    assert {
        ("catalogItemId", "db"),
        ("cause", "target-down"),
        ("status", "failed"),
        ("decidable", "me"),
    } <= set(listed.query)


@pytest.mark.usefixtures("waiting")
def test_anything_but_yes_decides_nothing(on_terminal: OnTerminal, service: Service) -> None:
    terminal = on_terminal("request", "abort", "--all", "--mine", *WHY)
    terminal.wait_for("Abort 3 requests? ")
    terminal.type("")

    assert terminal.ends_with() == 1
    assert "Nothing was decided." in terminal.seen
    assert [call for call in service.calls if call.method == "POST"] == []


@pytest.mark.usefixtures("waiting")
def test_a_script_says_yes_by_an_option(pao: Pao, service: Service) -> None:
    assert pao("request", "retry", "--all", "--mine", "--yes", *WHY).exit_code == 0
    assert len(retries(service)) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--all", "--item", "db"), "add --yes"),
        (("--all", "--yes"), "--all needs at least one filter"),
        (("--all", "--yes", "--item", "db", IDS[0]), "not both"),
        (("--item", "db", IDS[0]), "Filters are for --all"),
        ((), "Name at least one request"),
        ((*IDS, "--attempt", "2"), "--attempt is for one request only"),
        ((*IDS, "--revise", "--mode", "manual"), "cannot be combined"),
    ],
)
def test_a_choice_that_is_none_is_refused_before_anything_is_asked(
    pao: Pao, service: Service, arguments: tuple[str, ...], told: str
) -> None:
    result = pao("request", "retry", *arguments, *WHY)

    assert result.exit_code == 2
    assert told in result.stderr
    assert service.calls == []


@pytest.mark.usefixtures("waiting")
def test_none_that_match_is_no_failure(pao: Pao, service: Service) -> None:
    rows = [failed(IDS[0], retrying=True)]
    service.on("GET", "/requests", {"data": rows, "pagination": {"hasMore": False}})

    result = pao("request", "retry", "--all", "--mine", "--yes", *WHY, "-o", "json")

    assert (result.exit_code, json.loads(result.stdout)) == (0, {"data": []})
    assert "No requests match." in result.stderr


@pytest.mark.usefixtures("waiting")
def test_one_that_changed_since_it_was_shown_is_left_alone(pao: Pao, service: Service) -> None:
    service.on("GET", f"/requests/{IDS[1]}", failed(IDS[1], retrying=True))

    result = pao("request", "retry", "--all", "--mine", "--yes", *WHY)

    assert result.exit_code == 1
    assert "It has changed since it was shown" in result.stdout
    assert len(retries(service)) == 2


@pytest.mark.usefixtures("waiting")
def test_too_many_calls_are_made_later(pao: Pao, service: Service) -> None:
    def later(_call: Call) -> Response:
        error = {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many.", "details": []}
        return JSONResponse({"error": error}, 429, headers={"Retry-After": "0"})

    service.on("POST", f"/requests/{IDS[1]}/retry", later, later, answered(done(IDS[1])))

    result = pao("request", "retry", *IDS, *WHY)

    assert result.exit_code == 0, result.output
    keys = {call.headers["idempotency-key"] for call in retries(service) if IDS[1] in call.path}
    assert len(keys) == 1
    assert "Too many calls for the service; continuing in 0 s." in result.stderr


@pytest.mark.usefixtures("waiting")
def test_a_service_that_goes_away_ends_it_and_says_what_is_not_known(
    pao: Pao, service: Service
) -> None:
    service.on("POST", f"/requests/{IDS[1]}/retry", cut_off)

    result = pao("request", "retry", *IDS, *WHY)

    assert result.exit_code == 5
    assert "3 requests: 1 completed, 1 unknown, 1 not attempted" in result.stdout
    assert f"pao request get {IDS[1]}" in result.stderr


@pytest.mark.usefixtures("waiting")
def test_an_interruption_says_what_was_done(on_terminal: OnTerminal, service: Service) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b" "
        await asyncio.Event().wait()

    service.on(
        "POST",
        f"/requests/{IDS[1]}/retry",
        lambda _: StreamingResponse(endless(), media_type="application/json"),
    )

    terminal = on_terminal("request", "retry", *IDS, *WHY, NO_COLOR="1")
    while len(retries(service)) < 2:
        terminal.read_for(0.1)

    assert terminal.interrupted() == 130
    assert "3 requests: 1 completed, 1 unknown, 1 not attempted" in terminal.lines
    assert f"See what happened: pao request get {IDS[1]}" in terminal.seen


@pytest.mark.usefixtures("waiting")
def test_dry_runs_of_several_decide_nothing(pao: Pao, service: Service) -> None:
    refusals = [{"actionId": "a", "message": "It is used by others."}]
    for ident, found in zip(IDS, ([], refusals, []), strict=True):
        service.on("POST", f"/requests/{ident}/retry", {"refusals": found})

    result = pao("request", "retry", "--all", "--mine", "--yes", "--dry-run", *WHY)

    assert result.exit_code == 1
    assert all(call.body["dryRun"] for call in retries(service))
    assert "3 requests: 2 accepted, 1 refused" in result.stdout
    assert "It is used by others." in result.stdout


def test_several_approvals_are_given_at_once(pao: Pao, service: Service) -> None:
    for ident in IDS:
        waits = {"id": f"ok-{ident[0]}", "status": "waiting", "waiting": {"kind": "approval"}}
        asked = request("in_progress") | {"id": ident, "actions": [waits]}
        service.on("GET", f"/requests/{ident}", asked)
        service.on("POST", f"/requests/{ident}/approve", done(ident))

    result = pao("request", "approve", *IDS, *WHY)

    assert result.exit_code == 0, result.output
    bodies = [call.body for call in service.calls if call.method == "POST"]
    assert bodies == [{"actionId": f"ok-{ident[0]}", "reason": WHY[1]} for ident in IDS]
