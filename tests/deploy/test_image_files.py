"""The Dockerfile and what goes into a build."""

import re

import yaml

from tests.support.pages import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_the_base_is_an_argument_and_named_by_its_digest() -> None:
    [base] = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)

    assert re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", base)
    names = [name for _, name in stages]
    assert {source for source, _ in stages} <= {"${BASE}", *names}
    assert names[-1] == "runtime"
    assert len(stages) == len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE))


def test_nothing_is_copied_that_a_build_does_not_get() -> None:
    allowed = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]
    copied = [
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for source in sources.split()
        if source != "."
    ]

    assert IGNORED[1] == "*"
    assert copied
    for source in copied:
        assert any(source == one or source.startswith(f"{one}/") for one in allowed), source
    for one in allowed:
        assert (ROOT / one).exists(), one


def test_the_tools_of_the_build_are_pinned_and_no_index_is_named() -> None:
    lock = (ROOT / "deploy/image/tools.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9._-]+==.*$", lock, re.MULTILINE)

    assert {pin.partition("==")[0] for pin in pins} > {"cyclonedx-bom", "hatchling"}
    assert all(pin.endswith("\\") for pin in pins)
    assert "://" not in lock


def test_ports_and_users_are_the_same_wherever_they_are_named() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    exposed = set(re.findall(r"^EXPOSE (.+)$", DOCKERFILE, re.MULTILINE)[0].split())

    assert exposed == {"8080", "9465"}
    assert "WORKER_METRICS_PORT=9465" in DOCKERFILE
    assert "USER 10001:10001" in DOCKERFILE
    [port] = compose["services"]["api"]["ports"]
    assert port.endswith(":8080")
