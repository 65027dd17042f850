"""A target that repeats what it was sent shows no requester a secret, nor what was made of one."""

import base64
import hashlib
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from tests.api.test_api_secret_surfaces import stored_text
from tests.support.callers import ADA
from tests.support.postgres import cloned_database
from tests.support.raw_servers import RawServer, echoing, raw_server
from tests.support.requests import item
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import new_host

PASSWORD = "Zq7-Pässwörd/of+the echo"
PIN = "470815"
TOKEN = "tok-0f1e2d3c4b5a-operator"
BASIC = base64.b64encode(f"svc:{TOKEN}".encode()).decode()
MADE = {
    "the password": PASSWORD,
    "in a URL": quote(PASSWORD, safe=""),
    "in JSON": json.dumps(PASSWORD)[1:-1],
    "in capitals": PASSWORD.upper(),
    "in base64": base64.b64encode(PASSWORD.encode()).decode(),
    "as a digest": hashlib.sha256(PASSWORD.encode()).hexdigest(),
    "cut off": PASSWORD[:9],
    "in pieces": PASSWORD.split("/")[1],
    "letter by letter": ".".join(PASSWORD.split("s")),
    "the PIN": PIN,
    "the operator's": TOKEN,
    "the operator's login": BASIC,
}
OWN = [
    {"id": "pass", "name": "Password", "type": "password"},
    {"id": "pin", "name": "PIN", "type": "password"},
]


def actions(url: str) -> list[dict[str, Any]]:
    """Return calls whose target repeats all: one that works, one of its echo, one that fails."""
    headers = {
        "Authorization": 'Basic {{base64(concat("svc:", secrets.echo_token))}}',
        "X-Up": "{{url(upper(fields.pass))}}",
        "X-Hash": "{{hash(fields.pass)}}",
    }
    content = {
        "plain": "{{fields.pass}}",
        "up": "{{upper(fields.pass)}}",
        "base64": "{{base64(fields.pass)}}",
        "url": "{{url(fields.pass)}}",
        "hash": "{{hash(fields.pass)}}",
        "cut": "{{truncate(fields.pass, 10)}}",
        "part": '{{last(split(fields.pass, "/"))}}',
        "spread": '{{#each split(fields.pass, "s")}}{{this}}.{{/each}}',
        "pin": "{{int(fields.pin)}}",
        "title": "{{fields.title}}",
    }
    first = {
        "endpoint": {"url": url + "/post?k={{fields.pass}}", "method": "POST"},
        "headers": headers,
        "body": {"type": "json", "contentTemplate": content},
        "response": {"extract": {"echoed": "$.echo", "line": "$.line", "heads": "$.headers"}},
    }
    second = {
        "endpoint": {"url": url + "/broken?q={{fields.pass}}", "method": "POST"},
        "headers": headers,
        "body": {
            "type": "json",
            "contentTemplate": '{"from": {{json(outputs.r.echoed)}}, "p": "{{fields.pin}}"}',
        },
    }
    return [
        {"id": "r", "name": "First", "type": "rest-api", "config": first},
        {"id": "r2", "name": "Second", "type": "rest-api", "config": second},
    ]


@pytest.fixture(scope="module")
def echo() -> Iterator[RawServer]:
    with raw_server(echoing) as server:
        yield server


@pytest.fixture(scope="module")
def echoed(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    echo: RawServer,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("echo")
    catalog = folder / "files"
    catalog.mkdir()
    (catalog / "thing.yaml").write_text(yaml.safe_dump(item(actions(echo.url), fields=OWN)))
    kept = folder / "secrets"
    kept.mkdir()
    (kept / "echo_token").write_text(TOKEN)
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1", "PAO_SECRETS_DIR": str(kept)}
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database, temporal_address, folder, catalog=catalog, environ=environ
        ) as stack,
    ):
        yield stack


def test_an_echo_shows_nothing_that_was_made_of_a_secret(
    echoed: Stack, echo: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dana, title = echoed.caller(), new_host()
    fields = {"title": title, "pass": PASSWORD, "pin": PIN}
    body = {"catalogItemId": "thing", "fields": fields}
    seen = [dana.post("/validate/request", json=body).text]
    made = dana.post("/requests", json=body, headers={"Prefer": "wait=5"}).json()
    path = f"/requests/{made['id']}"

    def failed() -> dict[str, Any] | None:
        found: dict[str, Any] = dana.get(path).json()
        return found if found["status"] == "failed" else None

    found = wait_until(failed)
    assert found is not None
    outputs = found["actions"][0]["outputs"]
    assert title in outputs["echoed"], "what is no secret stays"
    assert outputs["heads"][0].lower().startswith("host:")
    assert found["error"]["httpStatus"] == 500
    seen += [json.dumps(found), echoed.history(made["id"])]
    escalated = echoed.caller(ADA).post(f"{path}/escalate", json={"reason": "x"})
    assert escalated.is_success, escalated.text
    pages = ("", "/status", "/logs", "/escalation", "/events")
    seen += [escalated.text, *(dana.get(path + page).text for page in pages)]
    seen += [json.dumps(echoed.jira.tickets()), stored_text(echoed), caplog.text]
    seen += [echoed.anybody().get("/metrics").text, echoed.anybody().get("/health").text]

    sent = b"\n".join(echo.requests).decode()
    assert all(one in sent for one in (BASIC, PIN, quote(PASSWORD, safe="")))
    shown = {name for name, text in MADE.items() for page in seen if text in page}
    assert shown == set()
