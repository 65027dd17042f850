"""What git-commit accepts as its configuration: paths, files, messages."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.github.paths import check_path
from tests.support.git_commits import NEW, config


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/",
        "./a",
        ".git/config",
        "a/.GIT/hooks/x",
        ".git /x",
        ".git./x",
        "git~1/x",
        ".g\u200cit/config",
        ".git::$INDEX_ALLOCATION/x",
        "\uff0egit/config",
        "a\\b",
        "C:/x",
        "a\x00b",
        "a\nb",
        "x" * 1001,
    ],
)
def test_a_path_that_leads_astray_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        config(files=[{"path": path, "contentTemplate": "x"}])


@for_all(path=st.text(max_size=40))
def test_no_text_becomes_a_path_out_of_the_repository(path: str) -> None:
    try:
        check_path(path)
    except ValueError:
        return
    parts = path.split("/")
    assert not {"", ".", "..", ".git"} & {part.casefold() for part in parts}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"files": []}, "at least 1"),
        ({"files": [NEW, NEW]}, "listed twice"),
        ({"files": [NEW, {"path": "tenants", "contentTemplate": ""}]}, "cannot be both a file"),
        ({"files": [{"path": "a"}]}, "write the contentTemplate"),
        ({"files": [{**NEW, "operation": "delete"}]}, "has no contentTemplate"),
        ({"reviewers": ["ann"]}, "belong to createPullRequest"),
        ({"createPullRequest": True, "reviewers": ["a/b/c"]}, "user names"),
        ({"commitMessage": "  "}, "write a message"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        config(**values)


@pytest.mark.parametrize(
    "path",
    [
        ".gitmodules",
        "deep/.GitModules",
        "CODEOWNERS",
        "docs/codeowners",
        ".github/CODEOWNERS",
        ".github/dependabot.yml",
        ".GITHUB/anything/else.txt",
        ".github./x",
        ".gi\u200bthub/x",
        "\uff0egithub/x",
        "sub/.gitattributes",
        ".gitattributes::$DATA",
        "GITMOD~1",
        "renovate.json",
        ".renovaterc",
        ".gitlab-ci.yml",
        ".circleci/config.yml",
        "Jenkinsfile",
        "ci/Jenkinsfile.release",
        ".tekton/push.yaml",
        ".vscode/tasks.json",
        "apps/.argocd-source-shop.yaml",
        "buildspec.yml",
        "actions/build/action.yml",
        ".devcontainer.json",
        ".builds/alpine.yml",
        ".cirrus.star",
        ".readthedocs.yaml",
        "amplify.yml",
        "render.yaml",
        ".policy.yml",
        ".pullapprove.yml",
        "tenants/OWNERS",
        "OWNERS_ALIASES",
        ".kodiak.toml",
        ".bulldozer.yml",
        "bors.toml",
        "lefthook.yml",
        ".claude/settings.json",
        "tenants/.mcp.json",
        "tenants/AGENTS.md",
        ".sonarcloud.properties",
        "codecov.yml",
        "atlantis.yaml",
        ".teamcity/settings.kts",
        "zuul.d/jobs.yaml",
        ".asf.yaml",
        "release.config.cjs",
        "clusters/fleet.yaml",
        "services/a/.claude/settings.json",
        "a/.vscode/tasks.json",
        "a/b/.Cursor/rules/style.mdc",
        "a/.devcontainer/devcontainer.json",
        "a/.clinerules",
        "a/.windsurfrules",
    ],
)
def test_files_that_act_by_themselves_need_the_catalogs_word(path: str) -> None:
    file = {"path": path, "contentTemplate": "x"}
    with pytest.raises(ValidationError, match="allowWorkflowFiles"):
        config(files=[NEW, file])
    assert config(files=[file], allowWorkflowFiles=True)


@pytest.mark.parametrize(
    "path",
    [
        "github/x",
        "tenants/renovate.md",
        "my.github/x",
        "CODEOWNERS.md",
        "gitmodules",
        "owners.yaml",
        "docs/release.configuration.md",
        "services/a/.github/notes.md",
    ],
)
def test_other_files_need_no_word(path: str) -> None:
    assert config(files=[{"path": path, "contentTemplate": "x"}])
