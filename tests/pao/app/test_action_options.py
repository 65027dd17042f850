"""What action types are told of the settings."""

import os
import pwd
from pathlib import Path

import pytest

from activities.options import TerraformOptions
from pao.app.action_options import action_options
from pao.core.errors import PaoError
from pao.settings import load_settings

NEEDED = {
    "PAO_ENCRYPTION_KEYS": "k1:" + "A" * 43 + "=",
    "DATABASE_URL": "postgresql://pao@127.0.0.1:5432/pao",
    "JIRA_BASE_URL": "https://jira.example.com",
    "JIRA_API_TOKEN": "token",
    "JIRA_USERNAME": "pao",
    "CATALOG_PATH": ".",
}


def terraform(**environ: str) -> TerraformOptions:
    settings = load_settings(NEEDED | environ, process="worker")
    return action_options(settings, environ).terraform


def test_without_a_setting_no_module_may_run() -> None:
    options = terraform()
    assert options.sources == ()
    assert not options.allow_provisioners
    assert options.environment == {}


def test_terraform_gets_the_listed_variables_that_the_worker_has() -> None:
    options = terraform(TERRAFORM_ENVIRONMENT="CLOUD_KEY, ABSENT", CLOUD_KEY="key", OTHER="other")
    assert options.environment == {"CLOUD_KEY": "key"}
    assert "key" not in repr(options)


def test_paths_mean_the_same_wherever_terraform_runs() -> None:
    options = terraform(TERRAFORM_STATE_PATH="states", TERRAFORM_BINARY="~/bin/tofu")
    assert options.state_folder == Path.cwd() / "states"
    assert options.binary == Path.home() / "bin" / "tofu"


def test_times_are_durations() -> None:
    options = terraform(TERRAFORM_LOCK_TIMEOUT="1m", TERRAFORM_STOP_GRACE="10s")
    assert (options.lock_seconds, options.grace_seconds) == (60, 10)


def test_a_worker_that_is_root_runs_terraform_as_somebody_else() -> None:
    listed = {"TERRAFORM_SOURCES": "/srv/modules"}
    own = pwd.getpwuid(os.geteuid()).pw_name
    assert terraform(**listed, TERRAFORM_USER=own).account is None
    assert (terraform(**listed).account is None) == (os.geteuid() != 0)
    assert terraform().account is None, "nothing runs"


def test_a_user_that_cannot_be_is_said() -> None:
    with pytest.raises(PaoError, match="TERRAFORM_USER is no-such-user"):
        terraform(TERRAFORM_SOURCES="/srv/modules", TERRAFORM_USER="no-such-user")
