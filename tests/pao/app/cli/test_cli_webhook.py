"""`pao webhook github`: what is sent is signed as GitHub signs it."""

import hmac
from pathlib import Path

import pytest

from tests.pao.app.cli.scripted import Pao, Service, answered, refused

SECRET = "a secret of the webhook"
BODY = b'{"ref":"refs/heads/main"}'


@pytest.fixture
def payload(tmp_path: Path) -> str:
    file = tmp_path / "push.json"
    file.write_bytes(BODY)
    return str(file)


def test_a_payload_is_signed_by_the_webhooks_secret_and_by_no_key(
    pao: Pao, service: Service, payload: str
) -> None:
    service.on("POST", "/webhooks/github", answered({"accepted": True}, 202))
    result = pao("webhook", "github", "push", "--payload", payload, GITHUB_WEBHOOK_SECRET=SECRET)
    assert (result.exit_code, result.stdout) == (0, "accepted\n")
    (call,) = service.calls
    mac = hmac.digest(SECRET.encode(), BODY, "sha256").hex()
    assert call.headers["x-hub-signature-256"] == f"sha256={mac}"
    assert call.headers["x-github-event"] == "push"
    assert "authorization" not in call.headers


def test_the_reason_of_an_ignored_delivery_is_shown(
    pao: Pao, service: Service, payload: str
) -> None:
    service.on("POST", "/webhooks/github", {"ignored": "event ping"})
    result = pao("webhook", "github", "ping", "--payload", payload, GITHUB_WEBHOOK_SECRET=SECRET)
    assert (result.exit_code, result.stdout) == (0, "ignored  event ping\n")


def test_a_wrong_secret_is_named_and_no_access_key(
    pao: Pao, service: Service, payload: str
) -> None:
    service.on("POST", "/webhooks/github", refused(401, "UNAUTHORIZED", "not signed"))
    result = pao("webhook", "github", "push", "--payload", payload, GITHUB_WEBHOOK_SECRET=SECRET)
    assert result.exit_code == 3
    assert "GITHUB_WEBHOOK_SECRET is not the secret" in result.stderr
    assert "PAO_ACCESS_KEY_ID" not in result.stderr


def test_without_a_secret_or_a_file_nothing_is_sent(pao: Pao, service: Service) -> None:
    ping = ("webhook", "github", "ping", "--payload", "nowhere.json")
    result = pao(*ping, GITHUB_WEBHOOK_SECRET=None)
    assert result.exit_code == 2
    assert "GITHUB_WEBHOOK_SECRET is not set" in result.stderr
    result = pao(*ping, GITHUB_WEBHOOK_SECRET=SECRET)
    assert result.exit_code == 2
    assert "nowhere.json cannot be read" in result.stderr
    assert not service.calls
