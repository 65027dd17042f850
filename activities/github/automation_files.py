"""Files of a repository that tools run or obey automatically."""

from activities.github.paths import fold_name

WORKFLOWS = (".github", "workflows")
# At the top of the repository.
_FOLDERS = frozenset(
    {
        # Forges, and checks and builds that they start.
        ".github",
        ".gitlab",
        ".gitea",
        ".forgejo",
        ".azure-pipelines",
        ".azuredevops",
        ".builds",
        ".buildkite",
        ".circleci",
        ".harness",
        ".prow",
        ".semaphore",
        ".teamcity",
        ".tekton",
        ".woodpecker",
        ".zuul.d",
        "bamboo-specs",
        "zuul.d",
        # What merges, deploys and updates.
        ".aviator",
        ".cm",
        ".dependabot",
        ".mergify",
        ".platform",
        ".spacelift",
        ".terrateam",
        ".trunk",
        ".upsun",
        # Hooks.
        ".githooks",
        ".lefthook",
    }
)
# Tools read these wherever somebody works: hooks, editors, and agents that write code.
_FOLDERS_ANYWHERE = frozenset(
    {
        ".husky",
        ".devcontainer",
        ".vscode",
        ".claude",
        ".clinerules",
        ".codex",
        ".cursor",
        ".gemini",
        ".windsurf",
    }
)
# Their names end in .yml or .yaml.
_YAML = (
    # Checks and builds.
    "action",
    "azure-pipelines",
    "bitrise",
    "buildspec",
    "cloudbuild",
    "codefresh",
    "codemagic",
    "packit",
    "screwdriver",
    "zuul",
    ".appveyor",
    ".build",
    ".cirrus",
    ".codeclimate",
    ".codecov",
    ".drone",
    ".gitlab-ci",
    ".packit",
    ".prow",
    ".readthedocs",
    ".scrutinizer",
    ".travis",
    ".woodpecker",
    ".zuul",
    "appveyor",
    "bitbucket-pipelines",
    "codecov",
    "readthedocs",
    "wercker",
    # What reviews, merges, deploys and updates.
    ".asf",
    ".bulldozer",
    ".coderabbit",
    ".mergify",
    ".policy",
    ".pullapprove",
    ".pyup",
    ".sops",
    "amplify",
    "atlantis",
    "crowdin",
    "dependabot",
    "digger",
    "env0",
    "fleet",
    "heroku",
    "render",
    # Hooks and workplaces.
    ".lefthook",
    ".overcommit",
    ".pre-commit-config",
    ".pre-commit-hooks",
    "lefthook",
    "lefthook-local",
    ".devfile",
    ".gitpod",
    "devfile",
)
# Wherever they stand: git and its servers read them in every folder, or by their name alone.
_NAMES = frozenset(
    {
        *(f"{name}.{ending}" for name in _YAML for ending in ("yml", "yaml")),
        ".gitmodules",
        ".gitattributes",
        ".lfsconfig",
        # Who has to agree.
        "codeowners",
        "owners",
        "owners_aliases",
        # Checks and builds.
        ".cirrus.star",
        ".deepsource.toml",
        ".drone.jsonnet",
        ".drone.star",
        ".snyk",
        ".sonarcloud.properties",
        "cloudbuild.json",
        "sonar-project.properties",
        # What reviews, merges, deploys and updates.
        ".kodiak.toml",
        ".pr_agent.toml",
        ".release-please-manifest.json",
        ".scala-steward.conf",
        ".whitesource",
        "bors.toml",
        "netlify.toml",
        "railway.json",
        "railway.toml",
        "release-please-config.json",
        "renovate.json",
        "renovate.json5",
        "vercel.json",
        # Hooks and workplaces.
        ".devcontainer.json",
        ".envrc",
        ".lefthook.json",
        ".lefthook.toml",
        ".replit",
        "lefthook.json",
        "lefthook.toml",
        # Agents that write code.
        ".cursorrules",
        ".windsurfrules",
        ".mcp.json",
        "agents.md",
        "claude.md",
        "gemini.md",
        # What Windows calls .gitmodules and .gitattributes for short.
        *(f"{name}~{number}" for name in ("gitmod", "gitatt") for number in range(1, 5)),
    }
)


# Of these files there are several kinds.
_BEGINNINGS = (
    "jenkinsfile",
    ".argocd-source",
    ".huskyrc",
    ".platform.app",
    ".releaserc",
    ".renovaterc",
    "release.config.",
)


def is_workflow(path: str) -> bool:
    """Return whether a file is a workflow of GitHub Actions."""
    return _parts(path)[:2] == WORKFLOWS


def is_automation_file(path: str) -> bool:
    """Return whether tools obey a file automatically, however its path is spelled."""
    parts = _parts(path)
    name = parts[-1]
    in_folder = parts[0] in _FOLDERS or not _FOLDERS_ANYWHERE.isdisjoint(parts)
    return in_folder or name in _NAMES or name.startswith(_BEGINNINGS)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(fold_name(part) for part in path.split("/"))
