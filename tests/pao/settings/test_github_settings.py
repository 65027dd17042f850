"""How the GitHub of actions is configured: a token or an App, github.com or another server."""

import pytest

from pao.app import assembly
from pao.clients.github import AppAuth, GitHubFlavour, TokenAuth
from pao.runtime.crypto import generate_key
from pao.settings import ConfigurationError, Settings, load_settings

USUAL = {
    "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
    "DATABASE_URL": "postgresql://pao:secret@db/pao",
    "JIRA_BASE_URL": "https://jira.example.com",
    "JIRA_USERNAME": "pao",
    "JIRA_API_TOKEN": "token",
    "CATALOG_PATH": ".",
}
TOKEN = {"GITHUB_TOKEN": "ghp_secret"}
APP = {"GITHUB_APP_ID": "4711", "GITHUB_APP_PRIVATE_KEY": "-----BEGIN-----"}


def settings(**environ: str) -> Settings:
    return load_settings(USUAL | environ, process="worker")


def test_without_credentials_there_is_no_github_and_an_action_is_told_what_to_set() -> None:
    with pytest.raises(LookupError, match="sets GITHUB_TOKEN"):
        assembly.github_instances(settings()).instance(None)


def test_a_token_speaks_to_github_com() -> None:
    found = assembly.github_instances(settings(**TOKEN)).instance(None)
    assert isinstance(found.auth, TokenAuth)
    assert (found.api_url, found.flavour) == ("https://api.github.com", GitHubFlavour.CLOUD)
    assert found.page_url == "https://github.com"


def test_an_app_acts_where_one_is_configured() -> None:
    found = assembly.github_instances(settings(**TOKEN, **APP)).instance(None)
    assert isinstance(found.auth, AppAuth)
    assert found.auth.installation_id is None


@pytest.mark.parametrize(
    ("address", "flavour"),
    [
        ("https://github.example.com/api/v3", GitHubFlavour.SERVER),
        ("https://api.acme.ghe.com", GitHubFlavour.CLOUD),
    ],
)
def test_a_server_is_told_by_its_address(address: str, flavour: GitHubFlavour) -> None:
    given = settings(**TOKEN, GITHUB_API_URL=address)
    assert assembly.github_instances(given).instance(None).flavour is flavour
    said = settings(**TOKEN, GITHUB_API_URL=address, GITHUB_FLAVOUR="cloud")
    assert assembly.github_instances(said).instance(None).flavour is GitHubFlavour.CLOUD


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"GITHUB_APP_ID": "4711"}, "GITHUB_APP_PRIVATE_KEY"),
        ({"GITHUB_APP_PRIVATE_KEY": "key"}, "GITHUB_APP_ID"),
        ({"GITHUB_APP_INSTALLATION_ID": "1"}, "GITHUB_APP_INSTALLATION_ID"),
        ({"GITHUB_API_URL": "github.example.com"}, "GITHUB_API_URL"),
        ({"GITHUB_API_VERSION": "newest"}, "GITHUB_API_VERSION"),
    ],
)
def test_what_does_not_fit_together_is_refused(environ: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(**environ)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [variable]


def test_secrets_are_shown_as_stars() -> None:
    shown = settings(**TOKEN, **APP).masked()
    assert shown["GITHUB_TOKEN"] == shown["GITHUB_APP_PRIVATE_KEY"] == "********"


def test_a_second_instance_is_named_by_what_is_configured() -> None:
    with pytest.raises(LookupError, match="configured are: default"):
        assembly.github_instances(settings(**TOKEN)).instance("other")
