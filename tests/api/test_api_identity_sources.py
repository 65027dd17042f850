"""Callers whom AWS, an issuer or a gateway vouches for, at a running service; and their CLI."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.credentials import ReadOnlyCredentials

from activities.retention import Retention
from pao.app.local.postgres import PostgresAddress
from pao.clients.aws.caller import AwsCaller
from pao.clients.aws.signing import HEADER
from pao.core.errors import ErrorCode, PaoError
from tests.support.aws import ACCOUNT, Aws
from tests.support.aws_callers import SERVER, AwsCommandLine, by_aws
from tests.support.callers import DANA
from tests.support.go import go_command
from tests.support.issuer import CLIENT, Issuer
from tests.support.node import node_packages
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack

ROOT = Path(__file__).parents[2]
SIGNING = ROOT / "examples" / "signing"
NODE = Path(__file__).parent / "auth" / "node"
SECRET = "secret-of-the-gateway"
DNS = {"catalogItemId": "network-dns-record"}
FIELDS = {"hostName": "aws.example.com", "address": "10.0.0.7"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def sources_stack(
    issuer: Issuer,
    running_aws_server: Aws,
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    environ = {
        "PAO_SUBMISSION_BUDGET": "100ms",
        "PAO_IDENTITY_SOURCES": "keys,sts,jwt,gateway",
        "PAO_SERVER_ID": SERVER,
        "PAO_AWS_ACCOUNTS": ACCOUNT,
        "PAO_STS_URL": running_aws_server.sts_url,
        "AWS_ENDPOINT_URL": running_aws_server.iam_url,
        "PAO_TEAM_MAP": json.dumps(
            {f"arn:aws:iam::{ACCOUNT}:group/api-orders": "team-orders", "orders": "team-orders"}
        ),
        "PAO_GATEWAY_SECRET": SECRET,
        "PAO_TRUSTED_PROXIES": "127.0.0.1",
        "PAO_JWT_ISSUER": issuer.url,
        "PAO_JWT_AUDIENCE": CLIENT,
        "PAO_JWT_JWKS_URL": f"{issuer.url}/jwks",
        "PAO_JWT_USER_CLAIM": "preferred_username",
    }
    admin = running_aws_server.admin
    with pytest.MonkeyPatch.context() as own:
        # The service asks AWS as itself.
        own.setenv("AWS_ACCESS_KEY_ID", admin["aws_access_key_id"])
        own.setenv("AWS_SECRET_ACCESS_KEY", admin["aws_secret_access_key"])
        with (
            cloned_database(postgres_address) as database,
            running_stack(
                database,
                temporal_address,
                tmp_path_factory.mktemp("sources"),
                environ=environ,
                with_worker=False,
            ) as stack,
        ):
            yield stack


@pytest.fixture
def stack(sources_stack: Stack) -> Stack:
    return sources_stack


@pytest.fixture(scope="module")
def dana(running_aws_server: Aws) -> tuple[str, ReadOnlyCredentials]:
    return running_aws_server.user("api-dana", "api-orders")


def of_session(document: dict[str, Any]) -> tuple[str, str]:
    return document["accessKeyId"], document["secretAccessKey"]


User = tuple[str, ReadOnlyCredentials]


def test_aws_vouches_for_a_call(aws: Aws, stack: Stack, dana: User) -> None:
    anybody = stack.anybody()
    found = anybody.get("/requests?limit=5", headers=by_aws(aws, dana[1], path="/requests?limit=5"))
    assert found.status_code == 200, found.text
    captured = by_aws(aws, dana[1])
    assert anybody.get("/requests", headers=captured).status_code == 200
    assert anybody.get("/requests", headers=captured).status_code == 401
    assert anybody.get("/catalog", headers=by_aws(aws, dana[1])).status_code == 401


def test_a_request_by_aws_is_bound_to_its_body(aws: Aws, stack: Stack, dana: User) -> None:
    body = json.dumps(DNS | {"fields": FIELDS}).encode()
    other = body.replace(b"10.0.0.7", b"10.6.6.6")
    headers = by_aws(aws, dana[1], "POST", "/requests", body) | {"Content-Type": "application/json"}
    refused = stack.anybody().post("/requests", content=other, headers=headers)
    assert refused.status_code == 401
    made = stack.anybody().post("/requests", content=body, headers=headers)
    assert made.status_code == 202, made.text
    assert made.json()["user"]["id"] == dana[0]
    assert made.json()["user"]["teams"] == ["team-orders"]


def test_a_session_asks_aws_once(aws: Aws, stack: Stack, dana: User) -> None:
    headers = by_aws(aws, dana[1], "POST", "/sessions")
    opened = stack.anybody().post("/sessions", headers=headers)
    assert opened.status_code == 201, opened.text
    document = opened.json()
    assert (document["user"], document["source"]) == (dana[0], "sts")
    assert document["teams"] == ["team-orders"]
    aws.asked.clear()
    client = stack.client_of(of_session(document))
    made = client.post("/requests", json=DNS | {"fields": FIELDS})
    assert made.json()["user"] == {"id": dana[0], "email": None, "teams": ["team-orders"]}
    listed = client.get("/keys").json()["data"]
    assert document["accessKeyId"] in {one["accessKeyId"] for one in listed}
    assert aws.asked == []
    assert "secretAccessKey" not in str(listed)


def test_a_session_opens_no_other(aws: Aws, stack: Stack, dana: User) -> None:
    headers = by_aws(aws, dana[1], "POST", "/sessions")
    document = stack.anybody().post("/sessions", headers=headers).json()
    refused = stack.client_of(of_session(document)).post("/sessions")
    assert refused.status_code == 403


def test_a_session_of_a_key_ends_with_it(stack: Stack) -> None:
    key = stack.new_key(DANA)
    document = stack.client_of(key).post("/sessions").json()
    client = stack.client_of(of_session(document))
    assert client.get("/requests").status_code == 200
    assert stack.client_of(key).delete(f"/keys/{key[0]}").status_code == 200
    assert client.get("/requests").status_code == 401


def test_a_session_outlives_neither_an_hour_nor_its_key(stack: Stack) -> None:
    key = stack.new_key(DANA)
    stack.tamper(
        "update access_keys set expires_at = now() + interval '5 minutes' where access_key_id = $1",
        key[0],
    )
    stack.client_of(key).post("/sessions")
    [row] = stack.rows(
        "select expires_at <= now() + interval '5 minutes' as short from access_keys"
        " where opened_by = $1",
        key[0],
    )
    assert row == {"short": True}
    stack.caller(DANA).post("/sessions")
    [row] = stack.rows(
        "select max(expires_at) <= now() + interval '1 hour' as short from access_keys"
        " where is_session"
    )
    assert row == {"short": True}


def test_keys_of_sessions_are_gone_a_day_after_their_end(stack: Stack) -> None:
    document = stack.caller(DANA).post("/sessions").json()
    # Its end is in its id: stored again after that, the row would be good for nothing.
    assert document["accessKeyId"].startswith("PAO-")
    stack.tamper(
        "update access_keys set expires_at = now() - interval '25 hours' where access_key_id = $1",
        document["accessKeyId"],
    )
    listed = stack.caller(DANA).get("/keys").json()["data"]
    assert document["accessKeyId"] not in {one["accessKeyId"] for one in listed}
    before = stack.rows("select count(*) from access_keys where not is_session")
    stack.run(Retention(database=stack.services.sessions.database).maintain())
    one = "select 1 from access_keys where access_key_id = $1"
    assert stack.rows(one, document["accessKeyId"]) == []
    assert stack.rows("select count(*) from access_keys where not is_session") == before


async def no_such_account(_caller: AwsCaller) -> tuple[str, ...]:
    raise PaoError(ErrorCode.FORBIDDEN, "this account is not configured")


def test_a_session_opens_the_pages_as_well(aws: Aws, stack: Stack, dana: User) -> None:
    headers = by_aws(aws, dana[1], "POST", "/sessions")
    document = stack.anybody().post("/sessions", headers=headers).json()
    client = stack.client_of(of_session(document))
    code = client.post("/web-sign-ins").json()["url"].rpartition("#")[2]
    sessions = stack.services.sessions
    token = stack.run(sessions.open(code, user_agent="tests"))
    assert token is not None
    found = stack.run(sessions.find(token))
    assert found is not None
    assert (found.caller.id, found.caller.teams) == (dana[0], ("team-orders",))
    for configured_otherwise in (
        replace(sessions, accepts=lambda source: source != "sts"),
        replace(sessions, teams=no_such_account),
    ):
        assert stack.run(configured_otherwise.find(token)) is None
    assert client.delete(f"/keys/{document['accessKeyId']}").status_code == 200
    assert stack.run(sessions.find(token)) is None


def bearer(issuer: Issuer, **claims: Any) -> dict[str, str]:
    usual = {"preferred_username": "dana", "groups": ["orders"]}
    return {"Authorization": f"Bearer {issuer.token(**(usual | claims))}"}


def test_an_issuer_vouches_for_a_call(issuer: Issuer, stack: Stack) -> None:
    anybody, headers = stack.anybody(), bearer(issuer)
    assert anybody.get("/requests", headers=headers).status_code == 200
    assert anybody.get("/requests", headers=bearer(issuer, aud="grafana")).status_code == 401
    body = DNS | {"fields": FIELDS}
    refused = anybody.post("/requests", json=body, headers=headers)
    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["field"] == "Idempotency-Key"
    made = anybody.post("/requests", json=body, headers=headers | {"Idempotency-Key": str(uuid4())})
    assert made.status_code == 202, made.text
    # The same person as by key.
    path = f"/requests/{made.json()['id']}"
    assert stack.caller(DANA).get(path).json()["user"]["teams"] == ["team-orders"]
    document = anybody.post("/sessions", headers=headers).json()
    assert (document["user"], document["source"]) == ("dana", "jwt")
    assert stack.client_of(of_session(document)).get(path).status_code == 200


def test_a_gateway_vouches_for_a_call(aws: Aws, stack: Stack) -> None:
    unique_id = aws.role("api-gateway", team="team-orders")
    headers = {
        "X-PAO-Gateway-Secret": SECRET,
        "X-PAO-Caller-Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/api-gateway/build",
        "X-PAO-Caller-Id": f"{unique_id}:build",
        # What the caller has signed for the gateway is passed on.
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu/execute-api/aws4_request",
    }
    opened = stack.anybody().post("/sessions", headers=headers)
    assert (opened.json()["user"], opened.json()["teams"]) == (unique_id, ["team-orders"])
    forged = headers | {"X-PAO-Gateway-Secret": "guessed"}
    assert stack.anybody().get("/requests", headers=forged).status_code == 401


@pytest.mark.parametrize("name", ["X-PAO-Caller-Arn", "X-PAO-Gateway-Secret", HEADER])
def test_a_trailer_never_becomes_an_identity(aws: Aws, stack: Stack, name: str) -> None:
    del aws
    trailer = {
        "X-PAO-Caller-Arn": f"arn:aws:iam::{ACCOUNT}:user/eve",
        "X-PAO-Caller-Id": "AIDA" + "E" * 17,
        "X-PAO-Gateway-Secret": SECRET,
    }
    lines = "".join(f"{one}: {value}\r\n" for one, value in trailer.items())
    raw = (
        f"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Trailer: {name}\r\nConnection: close\r\n\r\n0\r\n{lines}\r\n"
    )
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        connection.sendall(raw.encode())
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"missing" in answer


def test_two_credentials_at_once_are_refused(
    aws: Aws, issuer: Issuer, stack: Stack, dana: User
) -> None:
    headers = by_aws(aws, dana[1]) | bearer(issuer)
    refused = stack.anybody().get("/requests", headers=headers)
    assert refused.status_code == 401
    assert "several credentials" in refused.json()["error"]["message"]


def test_what_is_off_is_refused_or_ignored(
    aws: Aws, issuer: Issuer, shared_stack: Stack, dana: User
) -> None:
    for headers in (by_aws(aws, dana[1]), bearer(issuer)):
        refused = shared_stack.anybody().get("/requests", headers=headers)
        assert refused.status_code == 401
        assert "not switched on" in refused.json()["error"]["message"]
    aws.asked.clear()
    claims = {
        "X-PAO-Gateway-Secret": SECRET,
        "X-PAO-Caller-Arn": f"arn:aws:iam::{ACCOUNT}:user/ada",
        "X-PAO-Caller-Id": "AIDA" + "A" * 17,
        "X-Amzn-Oidc-Data": "x",
    }
    assert shared_stack.anybody().get("/requests", headers=claims).status_code == 401
    mine = shared_stack.caller(DANA).get("/keys", headers=claims)
    assert {one["user"] for one in mine.json()["data"]} == {"dana"}


def examples() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return the commands that run the examples of signing, and what they need besides."""
    packages = node_packages(NODE)
    go, settings = go_command()
    return {
        "pao_call.py": ([sys.executable], {}),
        "pao-call.sh": (["bash"], {}),
        "pao-call.mjs": ([packages.node], {"NODE_PATH": str(packages.modules)}),
        "pao_call.go": ([go, "run"], settings),
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["pao_call.py", "pao-call.sh", "pao-call.mjs", "pao_call.go"])
def test_the_examples_sign_as_they_should(
    aws: Aws, stack: Stack, dana: User, name: str, tmp_path: Path
) -> None:
    command, more = examples()[name]
    role = name.replace(".", "-")
    unique_id = aws.role(role)
    assumed = aws.assume(role, "build-1")
    body = json.dumps(DNS | {"fields": FIELDS})
    calls = (
        (dana[1], ("GET", "/api/v1/requests?limit=1&status=failed"), '"pagination"'),
        (assumed, ("POST", "/api/v1/requests", body), f'"id":"{unique_id}"'),
    )
    for credentials, arguments, found in calls:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PAO_URL": stack.url,
            "PAO_SERVER_ID": SERVER,
            "PAO_STS_URL": aws.sts_url,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        }
        if credentials.token:
            environ["AWS_SESSION_TOKEN"] = credentials.token
        done = subprocess.run(  # noqa: S603 -- our own programs
            [*command, str(SIGNING / name), *arguments],
            env=more | environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert found in done.stdout, (done.stdout, done.stderr)


def test_the_command_line_signs_with_aws_credentials(
    aws: Aws, stack: Stack, dana: User, tmp_path: Path
) -> None:
    cli = AwsCommandLine(stack, aws, dana[1], tmp_path)
    first = cli.run("catalog", "list", "-o", "id")
    assert first.returncode == 0, first.stderr
    assert "network-dns-record" in first.stdout
    [kept] = cli.kept()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert dana[1].secret_key not in kept.read_text()

    aws.asked.clear()
    assert cli.run("catalog", "list", "-o", "id").stdout == first.stdout
    assert aws.asked == []

    # A session that has ended meanwhile is opened again.
    session = json.loads(kept.read_text())["access_key_id"]
    stack.rows("update access_keys set revoked_at = now() where access_key_id = $1", session)
    assert cli.run("catalog", "list", "-o", "id").stdout == first.stdout
    assert json.loads(kept.read_text())["access_key_id"] != session


def test_the_command_line_says_what_is_wrong_with_aws_credentials(
    aws: Aws, stack: Stack, dana: User, tmp_path: Path
) -> None:
    cli = AwsCommandLine(stack, aws, dana[1], tmp_path)
    wrong = cli.run("catalog", "list", AWS_SECRET_ACCESS_KEY="wrong")
    assert (wrong.returncode, "AWS does not accept the signature" in wrong.stderr) == (3, True)
    elsewhere = cli.run("catalog", "list", PAO_SERVER_ID="https://other.example.com")
    assert elsewhere.returncode == 3
    nobody = cli.run("catalog", "list", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert "No access key and no AWS credentials" in nobody.stderr
    missing = cli.run("catalog", "list", AWS_PROFILE="nowhere")
    assert "AWS_PROFILE" in missing.stderr
    assert cli.kept() == []
