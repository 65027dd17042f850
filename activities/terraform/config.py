"""The configuration of a terraform action, as a catalog document writes it."""

import json
import re
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from activities.base import CamelCaseConfig
from activities.terraform.state_location import WITHOUT_WORKSPACES, climbing_key

OWN_WORKSPACE = "pao-"
"""The prefix of marks, and of workspaces that belong to one action of one request."""

_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,89}")
_MARK = re.compile(r"pao-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
_BACKEND = re.compile(r"[a-z][a-z0-9_]{0,40}")
_WORD = re.compile(r"[A-Za-z0-9][^\s~^:?*\[\\]{0,199}")


class TerraformSource(CamelCaseConfig):
    """Where the module is: git, a registry, or a folder that the operator allows."""

    git: str | None = Field(
        default=None,
        description="Address of a git repository",
        examples=["https://git.example.com/platform/modules"],
    )
    ref: str | None = Field(
        default=None, description="Branch, tag or commit of the repository", examples=["v1.4.0"]
    )
    registry: str | None = Field(
        default=None,
        description="Address of a module in a registry",
        examples=["terraform-aws-modules/vpc/aws"],
    )
    version: str | None = Field(
        default=None, description="Version of the registry's module", examples=["5.8.1"]
    )
    path: str | None = Field(
        default=None,
        description="Folder on the worker, one that the operator has listed or below it",
    )
    directory: str = Field(default="", description="Folder within the source that holds the module")

    @field_validator("ref", "version", "registry")
    @classmethod
    def _check_word(cls, text: str | None) -> str | None:
        if text is not None and not _WORD.fullmatch(text):
            raise ValueError("write a name without blanks that does not begin with a hyphen")
        return text

    @model_validator(mode="after")
    def _require_one_place(self) -> Self:
        if sum(place is not None for place in (self.git, self.registry, self.path)) != 1:
            raise ValueError("name one of git, registry and path")
        if self.ref is not None and self.git is None:
            raise ValueError("ref belongs to git; a registry's module has a version")
        if self.version is not None and self.registry is None:
            raise ValueError("version belongs to registry; a git repository has a ref")
        return self


class TerraformBackend(CamelCaseConfig):
    """Where the state is kept, passed on to Terraform unchanged."""

    type: str = Field(description="Terraform's backend type", examples=["s3", "http"])
    config: dict[str, Any] = Field(
        default_factory=dict, description="Its configuration; credentials are the operator's"
    )

    @field_validator("config")
    @classmethod
    def _check_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        if _MARK.search(json.dumps(config)):
            raise ValueError("it names the state of one request (pao-...): name another one")
        if key := climbing_key(config):
            raise ValueError(f"a segment of its {key} comes out as . or .., which leads elsewhere")
        return config

    @field_validator("type")
    @classmethod
    def _check_type(cls, text: str) -> str:
        if not _BACKEND.fullmatch(text):
            raise ValueError("write the name of a backend, such as s3, gcs, azurerm, pg or http")
        return text


class TerraformExecution(CamelCaseConfig):
    """How the module is carried out."""

    plan_only: bool = Field(default=False, description="Plan and change nothing")
    approved_plan: dict[str, Any] | None = Field(
        default=None,
        description="The output pin of an earlier plan: any other plan is refused",
        examples=["{{outputs.plan.pin}}"],
    )
    destroy: bool = Field(default=False, description="Destroy what is in the workspace")
    parallelism: int | None = Field(
        default=None, ge=1, le=100, description="Concurrent operations; Terraform's default is 10"
    )


class TerraformConfig(CamelCaseConfig):
    """Configuration of a terraform action."""

    source: TerraformSource = Field(description="Where the module comes from")
    workspace: str | None = Field(
        default=None,
        description="Workspace of the state; by default each request has its own",
        examples=["production"],
    )
    shared: bool = Field(
        default=False,
        description="Whether several requests may work on this state, in sequence; must be literal",
    )
    variables: dict[str, Any] = Field(
        default_factory=dict, description="Values of the module's variables"
    )
    backend: TerraformBackend | None = Field(
        default=None, description="Where the state is kept; replaces the module's backend"
    )
    execution: TerraformExecution = Field(
        default_factory=TerraformExecution, description="Whether to plan only, or to destroy"
    )
    outputs: tuple[str, ...] | None = Field(
        default=None, description="Outputs of the module to return; default: all"
    )

    @field_validator("workspace")
    @classmethod
    def _check_workspace(cls, text: str | None) -> str | None:
        if text is not None and not _WORKSPACE.fullmatch(text):
            raise ValueError("a workspace has up to 90 letters, digits, dots, hyphens, underscores")
        if text is not None and text.lower().startswith(OWN_WORKSPACE):
            raise ValueError(
                f"workspaces {OWN_WORKSPACE}... belong to one request each: name another one"
            )
        return text

    @field_validator("variables", mode="before")
    @classmethod
    def _drop_nulls(cls, variables: Any) -> Any:
        """Drop variables without a value, so that the module's defaults apply."""
        if not isinstance(variables, dict):
            return variables
        return {name: value for name, value in variables.items() if value is not None}

    @model_validator(mode="after")
    def _check_workspace_use(self) -> Self:
        stateful = self.backend is not None and self.backend.type in WITHOUT_WORKSPACES
        if self.execution.destroy and self.workspace is None and not stateful:
            raise ValueError("to destroy, name the workspace: a request's own one is still empty")
        if self.workspace is not None and stateful:
            raise ValueError("the backend http has no workspaces: its address says which state")
        if self.shared and self.workspace is None and not stateful:
            raise ValueError("to share a state, name its workspace: a request's own one is its own")
        return self
