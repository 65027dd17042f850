import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse

from tests.pao.app.cli.scripted import REQUEST, REQUEST_ID, Pao, Service, refused
from tests.support.forked_processes import run_pao

GET = ("request", "get", REQUEST_ID)


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "VALIDATION_ERROR", 2),
        (401, "UNAUTHORIZED", 3),
        (403, "FORBIDDEN", 3),
        (404, "REQUEST_NOT_FOUND", 4),
        (409, "INVALID_STATE_TRANSITION", 1),
        (413, "PAYLOAD_TOO_LARGE", 2),
        (422, "VALIDATION_ERROR", 1),
        (429, "RATE_LIMIT_EXCEEDED", 5),
        (500, "INTERNAL_ERROR", 5),
        (502, "EXTERNAL_SERVICE_ERROR", 5),
        (503, "SERVICE_UNAVAILABLE", 5),
    ],
)
def test_each_refusal_has_its_exit_code(
    pao: Pao, service: Service, status: int, code: str, exit_code: int
) -> None:
    service.on("GET", REQUEST, refused(status, code, "the reason"))

    result = pao(*GET)

    assert result.exit_code == exit_code
    assert f"the reason ({code})" in result.stderr
    assert "Correlation id: c0ffee" in result.stderr
    assert result.stdout == ""


def test_every_field_of_a_refusal_is_shown_with_its_reason(pao: Pao, service: Service) -> None:
    details = [
        {"field": "fields.size", "constraint": "enum", "message": "not one of", "expected": ["s"]},
        {"field": "fields.name", "constraint": "required", "message": "is required"},
    ]
    service.on("GET", REQUEST, refused(422, "VALIDATION_ERROR", "2 fields", details=details))

    errors = pao(*GET).stderr

    assert "fields.size: not one of (expected: ['s'])" in errors
    assert "fields.name: is required" in errors


def test_an_answer_of_something_else_is_named_as_such(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, lambda _call: HTMLResponse("<h1>Bad gateway</h1>", 502))

    result = pao(*GET)

    assert result.exit_code == 5
    assert "answered 502 with text/html" in result.stderr


def test_a_service_that_is_away_exits_with_5(pao: Pao) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    result = pao(*GET, "--endpoint", f"http://127.0.0.1:{port}")

    assert result.exit_code == 5
    assert "No response from" in result.stderr


def test_without_keys_nothing_is_called(pao: Pao, service: Service) -> None:
    result = pao(*GET, PAO_ACCESS_KEY_ID=None)

    assert result.exit_code == 3
    assert "PAO_ACCESS_KEY_ID" in result.stderr
    assert service.calls == []


def test_a_trace_masks_the_credentials(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, refused(404, "REQUEST_NOT_FOUND", "x"))

    result = pao("--debug", *GET)

    assert "Signature=********" in result.stderr
    assert "s3cr3t-of-the-test" not in result.stderr


def test_each_call_carries_a_correlation_id_and_signs_it(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, refused(404, "REQUEST_NOT_FOUND", "x"))

    pao(*GET)
    pao(*GET)

    first, second = service.calls
    assert first.headers["x-correlation-id"] != second.headers["x-correlation-id"]
    assert first.is_signed


def test_a_profile_gives_endpoint_and_keys(pao: Pao, service: Service, tmp_path: Path) -> None:
    service.on("GET", REQUEST, refused(404, "REQUEST_NOT_FOUND", "x"))
    folder = tmp_path / "pao"
    folder.mkdir()
    profiles = folder / "profiles.toml"
    profiles.write_text(
        f'[test]\nendpoint = "{service.url}/api/v1/"\nregion = "eu-central-1"\n'
        'access_key_id = "PAOTEST"\nsecret_access_key = "x"\n'
    )
    profiles.chmod(0o644)

    result = pao("--profile", "test", *GET, PAO_URL="http://127.0.0.1:1", PAO_ACCESS_KEY_ID=None)

    assert result.exit_code == 4
    assert service.calls[0].is_signed
    assert "chmod 600" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[other]\n", "Known: other"),
        ("[test]\nendpont = 'x'\n", "unknown setting 'endpont'"),
        ("[test\n", "cannot be read"),
        ("test = 1\n", "is not a table"),
    ],
)
def test_a_profile_that_cannot_be_used_is_wrong_usage(
    pao: Pao, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "pao").mkdir()
    (tmp_path / "pao" / "profiles.toml").write_text(content)

    result = pao("--profile", "test", *GET)

    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--endpoint", "localhost:8080"),
        ("--endpoint", "http://[::1"),
        ("--endpoint", "http://localhost:99999"),
        ("--endpoint", "http://"),
        ("--region", "\N{ARABIC-INDIC DIGIT THREE}"),
        ("--region", "eu west"),
        ("--timeout", "9" * 24),
        ("--timeout", "inf"),
    ],
)
def test_an_option_that_no_call_can_be_made_with_is_wrong_usage(
    pao: Pao, option: str, value: str
) -> None:
    result = pao(option, value, *GET)
    assert result.exit_code == 2
    assert "Unexpected" not in result.stderr


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from pao.app.cli.main import app;"
        "CliRunner().invoke(app, ['--help']);"
        "heavy = {'httpx', 'botocore', 'pydantic', 'yaml', 'fastapi', 'sqlalchemy', 'temporalio'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(  # noqa: S603 -- our own interpreter with fixed code
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"


def test_a_process_that_is_misconfigured_says_everything_and_exits_with_2() -> None:
    for command in (("api",), ("worker",), ("config", "check")):
        wrong = {"PAO_PORT": "none", "DATABASE_URL": "", "LOG_LEVEL": "loud"}
        done = run_pao(*command, environ=os.environ | wrong)

        assert done.returncode == 2, command
        assert done.stdout == b""
        for name in ("PAO_PORT", "DATABASE_URL", "LOG_LEVEL", "PAO_ENCRYPTION_KEYS"):
            assert f"- {name}: " in done.stderr.decode()


@pytest.mark.parametrize("places", ["db.example.com", "db1.example.com:6543,db2.example.com"])
def test_config_show_masks_secrets(places: str) -> None:
    environ = os.environ | {"DATABASE_URL": f"postgresql://pao:hunter22@{places}/pao"}

    done = run_pao("config", "show", "--for", "database", "-o", "json", environ=environ)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["DATABASE_URL"] == f"postgresql://pao:********@{places}/pao"


def test_wrong_usage_exits_with_2() -> None:
    assert run_pao("request", "list", "--nonsense", environ=os.environ).returncode == 2
    assert run_pao("nonsense", environ=os.environ).returncode == 2


def test_a_reason_that_the_message_gives_is_not_said_twice(pao: Pao, service: Service) -> None:
    reason = "the evidence was not accepted: the outputs lack status"
    details = [{"field": "status", "message": reason}, {"field": "fields.a", "message": "other"}]
    service.on("GET", REQUEST, refused(409, "X", f"It is failed: {reason}.", details=details))

    result = pao(*GET)

    assert result.stderr.count(reason) == 1
    assert "fields.a: other" in result.stderr
