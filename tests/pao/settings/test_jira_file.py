"""JIRA_INSTANCES: what the file may say, where its secrets are, and every problem at once."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from catalog.loading import load_document
from pao.app import assembly
from pao.clients.jira import BasicAuth, JiraFlavour, JiraInstance, OAuth2Auth, PatAuth
from pao.core.states import RequestStatus
from pao.settings import ConfigurationError, Settings, load_settings
from pao.settings.jira_file import InstancesConfig

FILE = """\
default: site
instances:
  - name: corp
    baseUrl: https://jira.corp.example/jira/
    flavour: datacenter
    authentication: {type: pat, token: {env: CORP_TOKEN}}
    defaultProject: OPS
    projects: [DB, NET]
    timeout: 5s
    statusMapping: {Abgelehnt: failed, Geparkt: submitted}
  - name: site
    baseUrl: https://api.atlassian.com/ex/jira/1234
    siteUrl: https://site.atlassian.net
    flavour: cloud
    authentication:
      type: oauth2
      clientId: client
      clientSecret: {env: SITE_SECRET}
      tokenUrl: https://auth.atlassian.com/oauth/token
  - name: small
    baseUrl: https://small.atlassian.net
    flavour: cloud
    authentication: {type: api_token, username: bot@example.com, token: in-clear-token}
  - name: old
    baseUrl: https://old.example
    flavour: datacenter
    authentication: {type: basic, username: bot, password: {env: OLD_PASSWORD}}
"""
SECRETS = {
    "CORP_TOKEN": "corp-token-value\n",
    "SITE_SECRET": "site-secret-value",
    "OLD_PASSWORD": "old-password-value",
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": "postgresql://pao:x@db.example.com/pao",
        "PAO_ENCRYPTION_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
        "CATALOG_PATH": str(tmp_path),
        "JIRA_INSTANCES": str(tmp_path / "jira.yaml"),
        **SECRETS,
    }


def load(environ: Mapping[str, str], text: str = FILE) -> Settings:
    Path(environ["JIRA_INSTANCES"]).write_text(text)
    return load_settings(environ, process="worker")


def problems_of(environ: Mapping[str, str], text: str = FILE) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(environ, text)
    return caught.value.problems


def instances_of(settings: Settings) -> dict[str, JiraInstance]:
    clients = assembly.jira_instances(settings)
    clients.close()
    return {name: client.instance for name, client in clients.all().items()}


def test_every_kind_of_instance_becomes_a_client(environ: dict[str, str]) -> None:
    made = instances_of(load(environ))

    assert list(made) == ["corp", "site", "small", "old"]
    corp, site = made["corp"], made["site"]
    assert corp.auth == PatAuth(corp.auth.token)  # type: ignore[attr-defined]  # shown by the type
    assert corp.auth.authorization() == "Bearer corp-token-value"
    assert (corp.base_url, corp.total_timeout) == ("https://jira.corp.example/jira", 5.0)
    assert corp.flavour is JiraFlavour.DATACENTER
    assert corp.status_mapping["Abgelehnt"] is RequestStatus.FAILED
    assert isinstance(site.auth, OAuth2Auth)
    assert site.browse_url("DB-1") == "https://site.atlassian.net/browse/DB-1"
    assert isinstance(made["small"].auth, BasicAuth)
    assert isinstance(made["old"].auth, BasicAuth)


def test_a_project_goes_to_its_instance_and_the_rest_to_the_default(
    environ: dict[str, str],
) -> None:
    clients = assembly.jira_instances(load(environ))
    chosen = {
        project: clients.instance(None, project).instance.name
        for project in ("DB", "NET", "OPS", "ELSE", None, "")
    }
    named = clients.instance("old", "DB").instance.name
    clients.close()

    assert chosen == {
        "DB": "corp",
        "NET": "corp",
        "OPS": "corp",
        "ELSE": "site",
        None: "site",
        "": "site",
    }
    assert named == "old"


def test_the_first_instance_is_the_default_where_none_is_named(environ: dict[str, str]) -> None:
    clients = assembly.jira_instances(load(environ, FILE.removeprefix("default: site\n")))
    clients.close()

    assert clients.instance(None, "ELSE").instance.name == "corp"


def test_how_far_a_search_may_be_behind_is_a_setting_of_each_instance(
    environ: dict[str, str],
) -> None:
    given = FILE.replace("    timeout: 5s\n", "    timeout: 5s\n    searchLag: 0s\n")
    clients = assembly.jira_instances(load(environ, given)).all()
    lags = {name: client.instance.index_lag for name, client in clients.items()}
    assert lags == {"corp": 0, "site": 60, "small": 60, "old": 5}
    del environ["JIRA_INSTANCES"]
    alone = {"JIRA_BASE_URL": "https://a.example", "JIRA_API_TOKEN": "t", "JIRA_USERNAME": "u"}
    loaded = load_settings(environ | alone | {"JIRA_SEARCH_LAG": "90s"}, process="worker")
    [client] = assembly.jira_instances(loaded).all().values()
    assert client.instance.index_lag == 90


def test_the_shown_configuration_says_where_secrets_are_and_never_what(
    environ: dict[str, str],
) -> None:
    settings = load(environ)
    shown = settings.masked()

    assert shown["JIRA_INSTANCES[corp].authentication.token"] == "******** (variable CORP_TOKEN)"
    assert shown["JIRA_INSTANCES[small].authentication.token"] == "********"
    assert shown["JIRA_INSTANCES[corp].projects"] == "DB,NET"
    assert shown["JIRA_INSTANCES[corp].timeout"] == "5s"
    assert shown["JIRA_INSTANCES[corp].statusMapping"] == "Abgelehnt=failed,Geparkt=submitted"
    for text in (json.dumps(shown), repr(settings), repr(settings.jira_file)):
        for secret in (*SECRETS.values(), "in-clear-token"):
            assert secret.strip() not in text


def test_every_problem_of_the_file_is_told_at_once_with_its_place(environ: dict[str, str]) -> None:
    text = """\
instances:
  - name: One
    baseUrl: jira.example.com
    flavour: cloud
    colour: blue
    authentication: {type: oauth2, clientId: a, clientSecret: {file: x}, tokenUrl: nowhere}
  - name: two
    baseUrl: https://two.example
    flavour: server
    authentication: {type: magic}
    statusMapping: {Done: finished}
    timeout: 5
"""
    problems = problems_of(environ, text)

    told = {problem.split(": ")[2] for problem in problems}
    assert told == {
        "instances[0].name",
        "instances[0].baseUrl",
        "instances[0].colour",
        "instances[0].authentication.clientSecret.file",
        "instances[0].authentication.tokenUrl",
        "instances[1].flavour",
        "instances[1].authentication",
        "instances[1].statusMapping.Done",
        "instances[1].timeout",
    }
    assert "JIRA_INSTANCES: jira.yaml:3:14: instances[0].baseUrl: " in "\n".join(problems)


CONTRADICTIONS = {
    ("default: site", "default: nowhere"): "default: there is no instance 'nowhere'",
    ("name: old", "name: corp"): "instances[3].name: 'corp' is taken already",
    ("timeout: 5s", "timeout: 9s"): "instances[0].timeout: is longer than 8s",
    ("type: pat, token", "type: api_token, username: x, token"): "Data Center has no API tokens",
    ("type: api_token, username: bot@example.com", "type: pat"): "Cloud has no personal access",
    ("type: api_token, username: bot@example.com, token", "type: basic, username: x, password"): (
        "JIRA Cloud does not accept passwords"
    ),
    ("Geparkt: submitted", "ABGELEHNT: failed"): "'abgelehnt' occurs twice",
    ("baseUrl: https://old.example", "baseUrl: https://old.example\n    projects: [DB]"): (
        "DB is mapped to 'corp' already"
    ),
    ("baseUrl: https://old.example", "baseUrl: https://old.example\n    caFile: none.pem"): (
        "there is no file"
    ),
    ("baseUrl: https://old.example", "baseUrl: https://old.example\n    caFile: jira.yaml"): (
        "holds no certificates in PEM form"
    ),
    ("{env: OLD_PASSWORD}", "{env: NOT_SET}"): "the variable NOT_SET is not set",
    ("https://old.example", "https://me:hunter22@old.example"): "must not contain credentials",
    ("{env: OLD_PASSWORD}", "{env: A, path: /b}"): "say where the secret is",
    ("{env: OLD_PASSWORD}", "''"): "instances[3].authentication.password",
}


@pytest.mark.parametrize(("change", "told"), CONTRADICTIONS.items())
def test_what_contradicts_itself_is_refused(
    environ: dict[str, str], change: tuple[str, str], told: str
) -> None:
    assert FILE.count(change[0]) == 1
    [problem] = problems_of(environ, FILE.replace(*change))

    assert told in problem
    assert problem.startswith("JIRA_INSTANCES: jira.yaml:")
    assert "hunter22" not in problem
    assert "in-clear-token" not in problem


def test_a_token_that_no_header_can_hold_is_refused(environ: dict[str, str]) -> None:
    [problem] = problems_of(environ | {"CORP_TOKEN": "hunter\u20ac"})
    assert "instances[0].authentication: has blanks or letters that a token cannot have" in problem
    assert "hunter" not in problem
    load(environ | {"OLD_PASSWORD": "a pass\u20acword"})


@pytest.mark.parametrize("text", ["", "a: [", "- x", "instances: []", "a: 1\na: 2", "\0"])
def test_what_is_no_such_file_is_one_problem(environ: dict[str, str], text: str) -> None:
    problems = problems_of(environ, text)

    assert problems
    assert all(problem.startswith("JIRA_INSTANCES: ") for problem in problems)


def test_a_file_that_is_not_there_is_a_problem(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(environ, process="api")


def test_both_ways_to_name_a_jira_exclude_each_other(environ: dict[str, str]) -> None:
    problems = problems_of(environ | {"JIRA_BASE_URL": "https://x.example", "JIRA_API_TOKEN": "t"})

    assert [problem.partition(":")[0] for problem in problems] == [
        "JIRA_BASE_URL",
        "JIRA_API_TOKEN",
    ]


def test_processes_without_jira_do_not_read_the_file(environ: dict[str, str]) -> None:
    assert load_settings(environ, process="keys").jira_file is None


def test_escalation_may_go_to_an_instance_of_its_own(environ: dict[str, str]) -> None:
    assert load(environ | {"ESCALATION_INSTANCE": "old"}).jira.escalation_instance == "old"

    [problem] = problems_of(environ | {"ESCALATION_INSTANCE": "none"})
    assert problem.startswith("ESCALATION_INSTANCE: there is no instance 'none'")


def test_the_example_of_the_manual_is_a_file_that_is_taken() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    example = manual.partition("### JIRA instances")[2].partition("```yaml\n")[2]
    document = load_document(example.partition("```")[0], file="jira.yaml")

    form = InstancesConfig.model_validate(document.data)

    assert [one.name for one in form.instances] == ["cloud", "corp"]
    assert [list(one.problems(Path("/nowhere"))) for one in form.instances[:1]] == [[]]
