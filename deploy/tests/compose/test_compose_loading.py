"""docker-compose.yml through the library that `docker compose` itself uses."""

from pathlib import Path

import pytest

from deploy.tests.compose.project import ROOT, LoadError, load


def test_the_stand_in_runs_in_its_profile_only() -> None:
    assert load("demo")["services"].keys() - load()["services"].keys() == {"jira"}


def test_variables_replace_the_stand_in_by_a_jira_of_one_s_own(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    given = {
        "JIRA_BASE_URL": "https://example.atlassian.net",
        "JIRA_FLAVOUR": "cloud",
        "JIRA_TOKEN_FILE": str(token),
        "PAO_CATALOG": str(tmp_path),
    }
    project = load(given=given)

    for name in ("api", "worker"):
        environment = project["services"][name]["environment"]
        assert environment["JIRA_BASE_URL"] == "https://example.atlassian.net"
        assert environment["JIRA_FLAVOUR"] == "cloud"
        assert project["services"][name]["secrets"][0]["target"] == "/run/secrets/jira-token"
    assert project["secrets"]["jira-token"]["file"] == str(token)
    mounts = {one["target"]: one for one in project["services"]["worker"]["volumes"]}
    assert mounts["/etc/pao/catalog"]["source"] == str(tmp_path)


def test_pages_and_tickets_lead_to_the_port_that_was_chosen() -> None:
    for given, url in (
        ({}, "http://127.0.0.1:8080"),
        ({"PAO_PORT": "9090"}, "http://127.0.0.1:9090"),
        ({"PAO_PUBLIC_URL": "https://pao.example.com"}, "https://pao.example.com"),
    ):
        services = load(given=given)["services"]
        urls = [services[one]["environment"]["PAO_PUBLIC_URL"] for one in ("api", "worker")]
        assert urls == [url, url]


def test_further_settings_come_from_a_file_beside_it(tmp_path: Path) -> None:
    for name in ("docker-compose.yml", "deploy"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "pao.env").write_text("LOG_LEVEL=DEBUG\nDATABASE_HOST=elsewhere\n")

    environment = load(file=tmp_path / "docker-compose.yml")["services"]["worker"]["environment"]

    assert environment["LOG_LEVEL"] == "DEBUG"
    assert environment["DATABASE_HOST"] == "postgres", "what the file decides stays decided"


def test_a_file_that_is_wrong_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text("services: {api: {image: pao, restrat: always}}\n")

    with pytest.raises(LoadError, match="restrat"):
        load(file=wrong)
