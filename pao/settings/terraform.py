"""The settings of Terraform on a worker."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from pao.settings.sections import SettingsSection
from pao.settings.values import Duration, Names


class TerraformSettings(SettingsSection):
    """Terraform on a worker; without ``TERRAFORM_SOURCES`` no module may run."""

    binary: Path | None = Field(None, validation_alias="TERRAFORM_BINARY")
    sources: Names = Field((), validation_alias="TERRAFORM_SOURCES")
    environment: Names = Field((), validation_alias="TERRAFORM_ENVIRONMENT")
    allow_provisioners: bool = Field(default=False, validation_alias="TERRAFORM_ALLOW_PROVISIONERS")
    state_folder: Path | None = Field(None, validation_alias="TERRAFORM_STATE_PATH")
    cli_config: Path | None = Field(None, validation_alias="TERRAFORM_CLI_CONFIG")
    plugin_cache: Path | None = Field(None, validation_alias="TERRAFORM_PLUGIN_CACHE")
    lock_timeout: Duration = Field(timedelta(seconds=20), validation_alias="TERRAFORM_LOCK_TIMEOUT")
    user: str | None = Field(None, validation_alias="TERRAFORM_USER")
    stop_grace: Duration = Field(timedelta(seconds=30), validation_alias="TERRAFORM_STOP_GRACE")
