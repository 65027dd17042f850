"""What a wait needs is kept sealed between activities, and no person reads a secret in it."""

import json
import socket

from activities.actions.approval import ApprovalAction
from activities.actions.notification import NotificationAction
from activities.actions.rest_api import RestApiAction
from pao.core.names import SEALED_PREFIX
from tests.support.actions import ActionRunner
from tests.support.raw_servers import answering, raw_server

KEY = "key-0123456789-of-the-operator"
HOOK = "/services/T0123456/B0123456/abcdefghijklmnopqrstuvwx"


def accepting(connection: socket.socket, request: bytes) -> None:
    """Accept a call with an address that holds the caller's key; that address says done."""
    line = request.split(b"\r\n")[0].decode()
    path = line.split(" ")[1]
    if line.startswith("POST"):
        head = f"202 Accepted\r\nLocation: /status{path[path.index('?') :]}"
        body = json.dumps({"at": path}).encode()
    else:
        head, body = "200 OK", json.dumps({"state": "ready", "asked": path}).encode()
    connection.sendall(
        f"HTTP/1.1 {head}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


async def test_a_status_address_with_our_key_is_sealed_and_still_followed() -> None:
    stage = ActionRunner(RestApiAction(), secrets={"api_key": KEY})
    with raw_server(accepting) as server:
        request = stage.request(
            {
                "endpoint": {"url": f"{server.url}/jobs"},
                "authentication": {
                    "type": "api-key",
                    "name": "key",
                    "key": "{{secrets.api_key}}",
                    "place": "query",
                },
                "async": {"until": {"path": "$.state", "values": ["ready"]}, "every": 0.05},
            }
        )
        started = await stage.execute(request)
        assert KEY not in repr(started)
        assert started.pending is not None
        assert started.pending.state["url"].startswith(SEALED_PREFIX)
        ended = await stage.follow(request, started.pending)
        await stage.close()
    assert KEY.encode() in server.requests[-1]
    assert ended.outputs["body"]["state"] == "ready"
    assert KEY not in repr(ended)


async def test_the_rules_of_an_approval_hold_no_secret() -> None:
    stage = ActionRunner(ApprovalAction(), secrets={"word": KEY})
    request = stage.request(
        {
            "approvers": {"users": ["ann", "{{secrets.word}}"], "teams": ["team-a"]},
            "message": "May we use {{secrets.word}} or {{upper(secrets.word)}}?",
        }
    )
    result = await stage.execute(request)
    assert result.pending is not None
    assert result.pending.state["message"] == "May we use ******** or ********?"
    assert result.pending.state["users"] == ["ann", "********"]
    assert KEY.lower() not in repr(result).lower()


async def test_the_path_of_a_hook_is_as_secret_as_its_address() -> None:
    refusal = json.dumps({"error": f"no hook at {HOOK}", "id": HOOK.rpartition("/")[2]}).encode()
    with raw_server(answering(refusal, status="403 No")) as server:
        stage = ActionRunner(NotificationAction(), secrets={"hook": f"{server.url}{HOOK}"})
        given = {"url": "{{secrets.hook}}", "text": "Hello"}
        result = await stage.execute(stage.request(given))
        await stage.close()
    assert server.count == 1
    assert result.outputs["delivered"] is False
    assert "abcdefghijkl" not in repr(result)
