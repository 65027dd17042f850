"""Files of a repository that tools run or obey automatically."""

from activities.github.paths import plain

WORKFLOWS = (".github", "workflows")
_FOLDERS = frozenset(
    {
        ".github",
        ".gitlab",
        ".gitea",
        ".forgejo",
        ".circleci",
        ".buildkite",
        ".woodpecker",
        ".semaphore",
        ".azure-pipelines",
        ".husky",
        ".githooks",
        ".devcontainer",
        ".vscode",
        ".dependabot",
        ".tekton",
        ".mergify",
    }
)
# Wherever they stand: git and its servers read them in every folder, or by their name alone.
_NAMES = frozenset(
    {
        ".gitmodules",
        ".gitattributes",
        ".lfsconfig",
        "codeowners",
        "dependabot.yml",
        "dependabot.yaml",
        ".gitlab-ci.yml",
        ".gitlab-ci.yaml",
        "renovate.json",
        "renovate.json5",
        ".renovaterc",
        ".renovaterc.json",
        ".renovaterc.json5",
        "action.yml",
        "action.yaml",
        "azure-pipelines.yml",
        "azure-pipelines.yaml",
        "bitbucket-pipelines.yml",
        ".travis.yml",
        ".drone.yml",
        ".woodpecker.yml",
        ".woodpecker.yaml",
        "appveyor.yml",
        ".appveyor.yml",
        ".cirrus.yml",
        ".pre-commit-config.yaml",
        ".pre-commit-config.yml",
        ".pre-commit-hooks.yaml",
        ".mergify.yml",
        ".gitpod.yml",
        ".envrc",
        ".build.yml",
        "buildspec.yml",
        "buildspec.yaml",
        "cloudbuild.yml",
        "cloudbuild.yaml",
        "cloudbuild.json",
        "atlantis.yml",
        "atlantis.yaml",
        "netlify.toml",
        "vercel.json",
        "wercker.yml",
        # What Windows calls .gitmodules and .gitattributes for short.
        *(f"{name}~{number}" for name in ("gitmod", "gitatt") for number in range(1, 5)),
    }
)


# Of these files there are several kinds.
_BEGINNINGS = ("jenkinsfile", ".argocd-source", ".releaserc")


def is_workflow(path: str) -> bool:
    """Return whether a file is a workflow of GitHub Actions."""
    return _parts(path)[:2] == WORKFLOWS


def acts(path: str) -> bool:
    """Return whether a file acts by itself, however its path is spelt."""
    parts = _parts(path)
    name = parts[-1]
    return parts[0] in _FOLDERS or name in _NAMES or name.startswith(_BEGINNINGS)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(plain(part) for part in path.split("/"))
