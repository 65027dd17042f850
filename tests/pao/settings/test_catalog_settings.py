"""Where the catalog is: every kind of source says what it needs, and nothing is served silently."""

import pytest

from pao.app.catalog_assembly import catalog_source
from pao.app.catalog_forges import forge, owners_check
from pao.runtime.crypto import generate_key
from pao.settings import ConfigurationError, Settings, load_settings

USUAL = {
    "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
    "DATABASE_URL": "postgresql://pao:secret@db/pao",
    "JIRA_BASE_URL": "https://jira.example.com",
    "JIRA_USERNAME": "pao",
    "JIRA_API_TOKEN": "token",
}
GITHUB = {
    "CATALOG_SOURCE": "github",
    "CATALOG_REPOSITORY": "acme/catalog",
    "GITHUB_TOKEN": "ghp_secret",
}
GITLAB = {
    "CATALOG_SOURCE": "gitlab",
    "CATALOG_REPOSITORY": "acme/platform/catalog",
    "GITLAB_TOKEN": "glpat-secret",
}
GIT = {"CATALOG_SOURCE": "git", "CATALOG_REPOSITORY": "https://git.example.com/catalog.git"}


def settings(**environ: str) -> Settings:
    return load_settings(USUAL | environ, process="worker")


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"CATALOG_PATH": "."}, "local folder"),
        (GITHUB, "GitHub acme/catalog"),
        (GITLAB, "GitLab acme/platform/catalog"),
        (GIT, "git git.example.com/catalog.git"),
    ],
)
async def test_a_source_is_built_from_the_settings(environ: dict[str, str], name: str) -> None:
    given = settings(**environ)
    source = catalog_source(given)
    assert source.name == name
    assert (forge(given) is None) == (environ.get("CATALOG_SOURCE") in {None, "git"})
    assert owners_check(given) is None
    await source.close()


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({}, "CATALOG_PATH"),
        ({"CATALOG_PATH": ".", "CATALOG_REPOSITORY": "a/b"}, "CATALOG_REPOSITORY"),
        ({"CATALOG_PATH": ".", "CATALOG_OWNERSHIP": "report"}, "CATALOG_OWNERSHIP"),
        (GITHUB | {"CATALOG_REPOSITORY": ""}, "CATALOG_REPOSITORY"),
        (GITHUB | {"CATALOG_REPOSITORY": "catalog"}, "CATALOG_REPOSITORY"),
        (GITHUB | {"CATALOG_REPOSITORY": "https://github.com/a/b"}, "CATALOG_REPOSITORY"),
        (GITHUB | {"GITHUB_TOKEN": ""}, "GITHUB_TOKEN"),
        (GITHUB | {"CATALOG_PATH": "."}, "CATALOG_PATH"),
        (GITHUB | {"CATALOG_REPOSITORY_PATH": "../x"}, "CATALOG_REPOSITORY_PATH"),
        (GITHUB | {"CATALOG_BRANCH": "-x"}, "CATALOG_BRANCH"),
        (GITHUB | {"CATALOG_BRANCH": "a b"}, "CATALOG_BRANCH"),
        (GITHUB | {"CATALOG_OWNER_TEAMS": "team-db"}, "CATALOG_OWNER_TEAMS"),
        (GITLAB | {"GITLAB_TOKEN": ""}, "GITLAB_TOKEN"),
        (GITLAB | {"CATALOG_REPOSITORY": "catalog"}, "CATALOG_REPOSITORY"),
        (GITLAB | {"GITLAB_WEBHOOK_SECRET": "whsec_"}, "GITLAB_WEBHOOK_SECRET"),
        (
            GITLAB | {"GITLAB_WEBHOOK_SECRET_PREVIOUS": "whsec_c2VjcmV0L"},
            "GITLAB_WEBHOOK_SECRET_PREVIOUS",
        ),
        (GIT | {"CATALOG_REPOSITORY": "https://u:p@git.example.com/x"}, "CATALOG_REPOSITORY"),
        (GIT | {"CATALOG_REPOSITORY": "git@example.com:x"}, "CATALOG_REPOSITORY"),
        ({"CATALOG_SOURCE": "svn"}, "CATALOG_SOURCE"),
    ],
)
def test_what_keeps_a_catalog_from_being_read_is_named(
    environ: dict[str, str], variable: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(**environ)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [variable]


def test_owners_are_mapped_to_teams_and_secrets_are_shown_as_stars() -> None:
    given = settings(
        **GITHUB,
        CATALOG_OWNERSHIP="refuse",
        CATALOG_OWNER_TEAMS="@acme/dba=team-db, ann@example.com=team-web",
        GITHUB_WEBHOOK_SECRET="one",
        GITHUB_WEBHOOK_SECRET_PREVIOUS="two",
    )
    assert given.catalog.owner_teams == {"@acme/dba": "team-db", "ann@example.com": "team-web"}
    assert owners_check(given) is not None
    shown = given.masked()
    assert {shown[name] for name in shown if name.endswith(("_SECRET", "_SECRET_PREVIOUS"))} <= {
        "********",
        "",
    }
