"""Settings turned into what action types are told of them; for the worker."""

from collections.abc import Mapping
from pathlib import Path

from activities.options import ActionOptions, GitHubOptions, TerraformOptions
from pao import assembly
from pao.settings import Settings

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def action_options(settings: Settings, environ: Mapping[str, str]) -> ActionOptions:
    """Give every action type's part; ``environ`` is the worker's own environment."""
    return ActionOptions(
        github=GitHubOptions(instances=assembly.github_instances(settings)),
        terraform=_terraform(settings, environ),
    )


def _terraform(settings: Settings, environ: Mapping[str, str]) -> TerraformOptions:
    given = settings.terraform
    return TerraformOptions(
        binary=_absolute(given.binary),
        sources=given.sources,
        environment={name: environ[name] for name in given.environment if name in environ},
        allow_provisioners=given.allow_provisioners,
        state_folder=_absolute(given.state_folder),
        cli_config=_absolute(given.cli_config),
        plugin_cache=_absolute(given.plugin_cache),
        lock_seconds=given.lock_timeout.total_seconds(),
        grace_seconds=given.stop_grace.total_seconds(),
        search_path=environ.get("PATH") or DEFAULT_PATH,
    )


def _absolute(path: Path | None) -> Path | None:
    """Give a path that means the same in the folder in which Terraform runs."""
    return None if path is None else path.expanduser().absolute()
