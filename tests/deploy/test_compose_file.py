"""docker-compose.yml and its scripts fit the code, and each service knows only what it needs."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pao.app.local.temporal import DYNAMIC_CONFIGURATION
from pao.core.names import RETENTION_DAYS, SEARCH_ATTRIBUTES
from pao.runtime.crypto import SecretBox
from pao.settings.loading import secret_names
from sandbox.jira.settings import JiraSandboxSettings
from tests.docs.test_pages_name_what_exists import settings
from tests.support.pages import ROOT

FOLDER = ROOT / "deploy/compose"
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, one in SERVICES.items() if "build" in one)


def mounted(service: str) -> set[str]:
    return {one.partition(":")[0] for one in SERVICES[service].get("volumes", ())}


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_a_setting(service: str) -> None:
    known = {*settings(), *(f"{name}_FILE" for name in secret_names())}

    assert set(SERVICES[service].get("environment", {})) <= known


def test_no_secret_is_in_an_environment() -> None:
    for service in SERVICES.values():
        given = set(service.get("environment", {}))
        assert not given & set(secret_names())
        assert not any(name.endswith(("_PWD", "_PASSWORD")) for name in given)


@pytest.mark.parametrize("service", OURS)
def test_pao_s_processes_have_no_right_to_spare(service: str) -> None:
    one = SERVICES[service]

    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]


def test_every_secret_is_mounted_by_its_readers_only() -> None:
    readers = {
        volume: {name for name in SERVICES if volume in mounted(name)} - {"secrets"}
        for volume in COMPOSE["volumes"]
        if volume.startswith("secret-")
    }

    assert readers == {
        "secret-keys": {"api", "worker", "first-key"},
        "secret-owner": {"postgres", "migrate"},
        "secret-service": {"postgres", "api", "worker", "first-key"},
        "secret-temporal": {"postgres", "temporal"},
    }


def test_what_keeps_running_is_restarted_and_has_a_health_check() -> None:
    for name, one in SERVICES.items():
        ends = name in {"secrets", "namespace", "migrate", "first-key"}
        assert one["restart"] == ("on-failure" if ends else "unless-stopped"), name
        # Its image has no shell and no client that could ask it.
        assert ends or name == "temporal-ui" or "test" in one["healthcheck"], name


def test_whoever_waits_for_the_start_waits_for_what_ends_as_well() -> None:
    # `up --wait` takes the end of a service for a failure unless another one waits for that end.
    waited_for = {
        name
        for one in SERVICES.values()
        for name, how in one.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }

    assert waited_for == {name for name, one in SERVICES.items() if one["restart"] == "on-failure"}


def test_images_are_pinned() -> None:
    for name, one in SERVICES.items():
        if name not in OURS:
            assert re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", one["image"]), one["image"]


def test_ports_are_open_on_this_machine_only_unless_somebody_says_otherwise() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", ())]

    assert published
    assert all(re.match(r"(\$\{PAO_BIND:-)?127\.0\.0\.1\}?:", port) for port in published)
    assert not SERVICES["temporal"].get("ports")
    assert not SERVICES["postgres"].get("ports")


def test_the_example_offers_what_the_file_takes() -> None:
    example = (FOLDER / "env.example").read_text(encoding="utf-8")
    offered = set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE))
    taken = set(re.findall(r"\$\{([A-Z_]+):-", TEXT))

    assert offered <= taken
    # Ports, addresses and images that are seldom changed.
    rarely = {"JIRA_PORT", "TEMPORAL_UI_PORT", "TEMPORAL_UI_URL", "PAO_BIND", "PAO_PORT"}
    assert taken - offered == {*rarely, "PAO_IMAGE", "PAO_DEV_IMAGE"}


def test_the_namespace_is_what_pao_needs() -> None:
    script = (FOLDER / "namespace.sh").read_text(encoding="utf-8")
    [names] = re.findall(r"^for name in (.+); do$", script, re.MULTILINE)

    assert set(names.split()) == set(SEARCH_ATTRIBUTES)
    assert set(SEARCH_ATTRIBUTES.values()) == {"Keyword"}
    assert f"--retention {RETENTION_DAYS * 24}h" in script


def test_temporal_on_one_node_is_as_fast_as_that_of_pao_up() -> None:
    given = yaml.safe_load((FOLDER / "dynamic.yaml").read_text(encoding="utf-8"))

    assert {name: one["value"] for name, [one] in given.items()} == dict(DYNAMIC_CONFIGURATION)


def test_the_stand_in_accepts_what_api_and_worker_send() -> None:
    accepted = JiraSandboxSettings()

    assert (FOLDER / "stand-in-token").read_text(encoding="utf-8") == accepted.token
    assert f"${{JIRA_USERNAME:-{accepted.username}}}" in TEXT


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.sh")), ids=lambda script: script.name)
def test_a_script_is_one_that_any_shell_reads(script: Path) -> None:
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)  # noqa: S603 -- our own script
    assert f"/{script.name}" in TEXT


def test_secrets_are_made_once_and_can_be_used(tmp_path: Path) -> None:
    names = ("keys", "owner", "service", "temporal")
    for name in names:
        (tmp_path / name).mkdir()
    command = ["/bin/sh", str(FOLDER / "secrets.sh"), str(tmp_path)]

    first = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 -- our own script
    made = {file: file.read_text() for file in tmp_path.glob("*/*")}
    assert subprocess.run(command, check=True, capture_output=True).stdout == b""  # noqa: S603 -- as above

    assert {file: file.read_text() for file in tmp_path.glob("*/*")} == made
    assert len(first.splitlines()) == len(made) == 5
    assert not any(secret in first for secret in made.values())
    SecretBox(made.pop(tmp_path / "keys/encryption-keys"))
    assert all(re.fullmatch(r"[\w-]{43}", password) for password in made.values())
    assert len(set(made.values())) == 4
