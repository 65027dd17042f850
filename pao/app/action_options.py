"""Converts settings to the options of action types; for the worker."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from activities.options import ActionOptions, GitHubOptions, OsAccount, TerraformOptions
from pao.app import assembly
from pao.core.errors import ErrorCode, PaoError
from pao.settings import Settings

ROOT = "root"
NOBODY = "nobody"
NOBODY_IDS = (65534, 65534)
"""The user and group of nobody if the machine does not name its users."""

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def action_options(settings: Settings, environ: Mapping[str, str]) -> ActionOptions:
    """Return the options of every action type; ``environ`` is the worker's own environment."""
    return ActionOptions(
        github=GitHubOptions(instances=assembly.github_instances(settings)),
        terraform=_terraform(settings, environ),
        pages=assembly.pages(settings),
    )


def _terraform(settings: Settings, environ: Mapping[str, str]) -> TerraformOptions:
    given = settings.terraform
    return TerraformOptions(
        binary=_absolute_path(given.binary),
        sources=given.sources,
        environment={name: environ[name] for name in given.environment if name in environ},
        allow_provisioners=given.allow_provisioners,
        state_folder=_absolute_path(given.state_folder),
        cli_config=_absolute_path(given.cli_config),
        plugin_cache=_absolute_path(given.plugin_cache),
        lock_seconds=given.lock_timeout.total_seconds(),
        grace_seconds=given.stop_grace.total_seconds(),
        account=_account(given.user) if given.sources else None,
        search_path=environ.get("PATH") or DEFAULT_PATH,
    )


def _absolute_path(path: Path | None) -> Path | None:
    """Return a path that is valid in the folder in which Terraform runs."""
    return None if path is None else path.expanduser().absolute()


def _account(name: str | None) -> OsAccount | None:
    """Return the account that runs Terraform; a worker that is root uses another by default."""
    if os.geteuid() != 0:
        if name is None or name == pwd.getpwuid(os.geteuid()).pw_name:
            return None
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"TERRAFORM_USER is {name}, but only a worker that runs as root can run Terraform as "
            "another user. Remove the setting, or run the worker as that user.",
        )
    if name == ROOT:
        return None
    try:
        found = pwd.getpwnam(name or NOBODY)
    except KeyError:
        if name is None:
            return OsAccount(*NOBODY_IDS)
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"TERRAFORM_USER is {name}, and there is no such user on this machine. Create it, or "
            "name another one.",
        ) from None
    return OsAccount(found.pw_uid, found.pw_gid) if found.pw_uid else None
