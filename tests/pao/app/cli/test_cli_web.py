import json
from pathlib import Path
from typing import Any

import pytest

from tests.pao.app.cli.scripted import Pao, Service, answered

LINK = {"url": "http://pao.test/signin#abc", "expiresAt": "2026-03-05T14:07:09.123Z"}
SESSION: dict[str, Any] = {
    "id": "0d2f7f5e-6a5b-4f0c-9a1c-2f1c3f7d9b11",
    "user": "dana",
    "source": "link",
    "accessKeyId": "PAO1",
    "userAgent": "Firefox\x1b[31m",
    "createdAt": "2026-03-05T14:07:09.123Z",
    "seenAt": "2026-03-05T14:07:09.123Z",
    "endsAt": "2026-03-06T02:07:09.123Z",
}


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that writes down what it is to open."""
    opened, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    return opened


def test_web_opens_and_prints_the_link(pao: Pao, service: Service, browser: Path) -> None:
    service.on("POST", "/web-sign-ins", answered(LINK, 201))

    result = pao("web")

    assert result.exit_code == 0
    assert result.stdout == "http://pao.test/signin#abc\n"
    assert browser.read_text() == "http://pao.test/signin#abc\n"
    assert service.calls[0].is_signed


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["--no-open"], {}), (["-o", "json"], {}), ([], {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})],
)
def test_web_can_leave_the_browser_alone(
    pao: Pao,
    service: Service,
    browser: Path,
    arguments: list[str],
    environment: dict[str, str],
) -> None:
    service.on("POST", "/web-sign-ins", answered(LINK, 201))

    result = pao("web", *arguments, **environment)

    assert "http://pao.test/signin#abc" in result.stdout
    assert not browser.exists()


def test_sessions_are_listed_without_control_characters(pao: Pao, service: Service) -> None:
    service.on("GET", "/web-sessions", {"data": [SESSION]})

    result = pao("sessions", "list", "--user", "all", COLUMNS="200")

    assert SESSION["id"] in result.stdout
    assert "\x1b[31m" not in result.stdout
    assert service.calls[0].query == [("userId", "all")]
    assert json.loads(pao("sessions", "list", "-o", "json").stdout) == {"data": [SESSION]}


def test_no_session_is_said(pao: Pao, service: Service) -> None:
    service.on("GET", "/web-sessions", {"data": []})

    assert "No open sessions" in pao("sessions", "list").stderr


def test_a_session_is_ended_by_its_id(pao: Pao, service: Service) -> None:
    service.on("DELETE", f"/web-sessions/{SESSION['id']}", SESSION)

    result = pao("sessions", "end", SESSION["id"])

    assert result.stdout == "✓ dana is signed out there.\n"
    assert service.calls[0].is_signed
