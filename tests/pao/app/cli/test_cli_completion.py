"""What the shell completes, asked as the scripts of bash and zsh ask."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pao.app.cli.scripted import FORM, Service, refused, request
from tests.support.forked_processes import run_pao

FAILED = "7b0c2f6e-3d5a-4a53-9d0a-0f6e5b7d1c11"
OTHER = "7b0cffff-3d5a-4a53-9d0a-0f6e5b7d1c11"

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(environ: dict[str, str | None]) -> Complete:
    """Ask for what completes the last word."""
    given = {name: value for name, value in environ.items() if value is not None}

    def run(*words: str, by: str = "bash", **extra: str) -> list[str]:
        asked = {
            "bash": {"COMP_WORDS": "\n".join(("pao", *words)), "COMP_CWORD": str(len(words))},
            "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(("pao", *words))},
        }[by]
        variables = os.environ | given | extra | asked | {"_PAO_COMPLETE": f"complete_{by}"}
        ended = run_pao(environ=variables)
        assert (ended.returncode, ended.stderr) == (0, b"")
        return [line for line in ended.stdout.decode().splitlines() if line]

    return run


@pytest.fixture
def scripted(service: Service) -> None:
    rows = [
        {"id": "database-postgresql", "name": "PostgreSQL", "requestable": True},
        {"id": "database-redis", "name": "Redis", "requestable": True},
        {"id": "database-of-others", "name": "Others", "requestable": False},
        {"id": "network-dns", "name": "DNS", "requestable": True},
    ]
    service.on("GET", "/catalog", {"data": rows, "pagination": {"hasMore": False}})
    service.on("GET", "/catalog/items/db/schema", FORM)
    found = [request("failed") | {"id": one, "title": "orders"} for one in (FAILED, OTHER)]
    service.on("GET", "/requests", {"data": found, "pagination": {"hasMore": False}})
    record = {"id": "record", "name": "Record", "status": "failed"}
    parts = {"actions": [record], "components": [{"id": "rest", "name": "R", "actions": [record]}]}
    service.on("GET", f"/requests/{FAILED}", found[0] | {"catalogItemId": "db"} | parts)


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("request", "submit", "data"), ["database-postgresql", "database-redis"]),
        (("catalog", "get", "net"), ["network-dns"]),
        (("request", "list", "--item", "net"), ["network-dns"]),
        (("request", "submit", "db", "--field", "z"), ["zones="]),
        (("request", "submit", "db", "-f", "size", "="), ["s", "3"]),
        (("request", "submit", "db", "-f", "backups", "=", "t"), ["true"]),
        (("request", "retry", FAILED, "-f", "z"), ["zones="]),
        (("request", "get", "7b0c"), ["7b0c2f6e", "7b0cffff"]),
        (("request", "get", "7b0c2f6e-3"), [FAILED]),
        (("request", "retry", "7b0c2f6e", ""), ["7b0cffff"]),
        (("request", "logs", FAILED, "--action", "re"), ["record"]),
        (("request", "logs", FAILED, "--component", ""), ["rest"]),
        (("request", "list", "--status", "failed,co"), ["failed,completed"]),
        (("request", "list", "--cause", "tar"), ["target-down"]),
        (("actions", "show", "jira"), ["jira-ticket"]),
    ],
)
def test_the_last_word_is_completed(
    complete: Complete, words: tuple[str, ...], found: list[str]
) -> None:
    assert complete(*words) == found


@pytest.mark.usefixtures("scripted")
def test_only_what_may_be_decided_completes_a_decision(
    complete: Complete, service: Service
) -> None:
    complete("request", "abort", "")
    complete("request", "cancel", "")

    abort, cancel = service.calls_of("GET", "/requests")
    assert {("status", "failed"), ("decidable", "me")} <= set(abort.query)
    assert ("status", "in_progress") in cancel.query


@pytest.mark.usefixtures("scripted")
def test_other_shells_say_what_a_candidate_is(complete: Complete) -> None:
    found = "\n".join(complete("request", "get", "7b0c", by="zsh"))
    assert '"7b0c2f6e":"failed  orders"' in found
    assert '"size=s":"Small"' in "\n".join(
        complete("request", "submit", "db", "-f", "size=", by="zsh")
    )


@pytest.mark.usefixtures("scripted")
def test_no_space_follows_the_name_of_a_field_in_zsh(complete: Complete) -> None:
    [names] = complete("request", "submit", "db", "-f", "zo", by="zsh")
    choices = complete("request", "submit", "db", "-f", "size=", by="zsh")
    assert names.startswith('local -a pao_found; pao_found=("zones=')
    assert names.endswith("_describe -V pao pao_found -S ''")
    assert "-S" not in "\n".join(choices)


def test_zsh_completes_at_the_first_key_after_the_installation(tmp_path: Path) -> None:
    (tmp_path / ".zfunc").mkdir()
    script = tmp_path / ".zfunc" / "_pao"
    environ = os.environ | {"HOME": str(tmp_path), "SHELL": "/bin/zsh"}
    # Typer asks which shell has started the process; a test has none.
    asked = environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    for _ in range(2):
        assert run_pao("--install-completion", "zsh", environ=asked).returncode == 0
    lines = script.read_text().splitlines()
    assert lines[-2:] == ["compdef _pao_completion pao", '_pao_completion "$@"']


def test_profiles_are_completed_and_used(
    complete: Complete, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "pao").mkdir()
    profile = (
        f'[staging]\nendpoint = "{service.url}"\naccess_key_id = "A"\nsecret_access_key = "b"\n'
    )
    path = tmp_path / "pao" / "profiles.toml"
    path.write_text(profile)
    path.chmod(0o600)
    rows = [{"id": "network-dns", "name": "DNS", "requestable": True}]
    service.on("GET", "/catalog", {"data": rows, "pagination": {"hasMore": False}})

    assert complete("--profile", "st") == ["staging"]
    away = {"PAO_URL": "http://127.0.0.1:1"}
    assert complete("--profile", "staging", "catalog", "get", "", **away) == ["network-dns"]
    assert complete("catalog", "get", "--profile", "staging", "", **away) == ["network-dns"]


@pytest.mark.parametrize(
    "words",
    [
        ("request", "get", ""),
        ("request", "submit", "x", "-f", ""),
        ("request", "retry", "x", "-f", ""),
    ],
)
def test_without_the_service_there_is_nothing_and_nothing_is_said(
    complete: Complete, service: Service, words: tuple[str, ...]
) -> None:
    assert complete(*words, PAO_URL="http://127.0.0.1:1") == []
    service.on("GET", "/requests", refused(503, "SERVICE_UNAVAILABLE", "Postgres is away."))
    assert complete(*words) == []
    assert complete(*words, PAO_ACCESS_KEY_ID="") == []
