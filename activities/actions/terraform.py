"""The action type terraform: applies a module with terraform or tofu on the worker."""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from activities.action_errors import ActionFailedError, IncompleteError
from activities.base import Action, ActionConfig, ActionContext
from activities.terraform.cli import UnreadableError
from activities.terraform.execution import prepared
from activities.terraform.execution_spec import Required, Source
from activities.terraform.results import applied, planned
from activities.terraform.state import StateResource, own_or_touched
from activities.terraform.state_location import (
    WITHOUT_WORKSPACES,
    breaker_target,
    climbing_key,
    foreign_request_in,
    named_place,
)
from activities.terraform.steps import Run
from catalog.templating import Target
from pao.core.judgement import BAD_CALL
from pao.core.payloads.actions import ActionResult

TIMEOUT_SECONDS = 3600.0
OWN_WORKSPACE = "pao-"
"""How marks begin, and so the workspaces that belong to a single action of a single request."""

_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,89}")
_MARK = re.compile(r"pao-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
_BACKEND = re.compile(r"[a-z][a-z0-9_]{0,40}")
_WORD = re.compile(r"[A-Za-z0-9][^\s~^:?*\[\\]{0,199}")


class TerraformSource(ActionConfig):
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
    def _a_word(cls, text: str | None) -> str | None:
        if text is not None and not _WORD.fullmatch(text):
            raise ValueError("write a name without blanks that does not begin with a hyphen")
        return text

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.git, self.registry, self.path)) != 1:
            raise ValueError("name one of git, registry and path")
        if self.ref is not None and self.git is None:
            raise ValueError("ref belongs to git; a registry's module has a version")
        if self.version is not None and self.registry is None:
            raise ValueError("version belongs to registry; a git repository has a ref")
        return self


class TerraformBackend(ActionConfig):
    """Where the state is kept, passed on to Terraform as it is."""

    type: str = Field(description="Terraform's backend type", examples=["s3", "http"])
    config: dict[str, Any] = Field(
        default_factory=dict, description="Its configuration; credentials are the operator's"
    )

    @field_validator("config")
    @classmethod
    def _nobody_elses(cls, config: dict[str, Any]) -> dict[str, Any]:
        if _MARK.search(json.dumps(config)):
            raise ValueError("it names the state of one request (pao-...): name another one")
        if key := climbing_key(config):
            raise ValueError(f"a segment of its {key} comes out as . or .., which leads elsewhere")
        return config

    @field_validator("type")
    @classmethod
    def _a_backend(cls, text: str) -> str:
        if not _BACKEND.fullmatch(text):
            raise ValueError("write the name of a backend, such as s3, gcs, azurerm, pg or http")
        return text


class TerraformExecution(ActionConfig):
    """How the module is carried out."""

    planOnly: bool = Field(default=False, description="Plan and change nothing")  # noqa: N815 -- the document's key
    approvedPlan: dict[str, Any] | None = Field(  # noqa: N815 -- the document's key
        default=None,
        description="The output pin of an earlier plan: any other plan is refused",
        examples=["{{outputs.plan.pin}}"],
    )
    destroy: bool = Field(default=False, description="Destroy what is in the workspace")
    parallelism: int | None = Field(
        default=None, ge=1, le=100, description="Concurrent operations; Terraform's default is 10"
    )


class TerraformConfig(ActionConfig):
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
    def _a_workspace(cls, text: str | None) -> str | None:
        if text is not None and not _WORKSPACE.fullmatch(text):
            raise ValueError("a workspace has up to 90 letters, digits, dots, hyphens, underscores")
        if text is not None and text.lower().startswith(OWN_WORKSPACE):
            raise ValueError(
                f"workspaces {OWN_WORKSPACE}... belong to one request each: name another one"
            )
        return text

    @field_validator("variables", mode="before")
    @classmethod
    def _without_nulls(cls, variables: Any) -> Any:
        """Leave out a variable without a value, so that the module's own default counts."""
        if not isinstance(variables, dict):
            return variables
        return {name: value for name, value in variables.items() if value is not None}

    @model_validator(mode="after")
    def _something_to_destroy(self) -> Self:
        stateful = self.backend is not None and self.backend.type in WITHOUT_WORKSPACES
        if self.execution.destroy and self.workspace is None and not stateful:
            raise ValueError("to destroy, name the workspace: a request's own one is still empty")
        if self.workspace is not None and stateful:
            raise ValueError("the backend http has no workspaces: its address says which state")
        if self.shared and self.workspace is None and not stateful:
            raise ValueError("to share a state, name its workspace: a request's own one is its own")
        return self


class PlanSummary(BaseModel):
    """How many resources the plan adds, changes and destroys."""

    add: int
    change: int
    destroy: int


class TerraformOutputs(BaseModel):
    """What later actions may use."""

    values: dict[str, Any] = Field(
        description="The module's outputs by name; sensitive ones are masked"
    )
    plan: PlanSummary = Field(description="Summary of the plan")
    workspace: str = Field(description="Workspace of the state")
    state: str = Field(description="Where the state is, for people")
    commands: str = Field(description="Commands that lead a person to this state")
    resources: list[str] = Field(description="Addresses in the state, at most 100")
    sensitive: list[str] = Field(description="Names of outputs whose values are masked")
    leftOut: list[str] = Field(description="Names of outputs that are too large")  # noqa: N815 -- the document's way
    applied: bool = Field(description="False if it was only planned")
    pin: dict[str, Any] | None = Field(
        description="Identifies a plan, for execution.approvedPlan; null after an apply"
    )


class TerraformAction(Action[TerraformConfig]):
    """Applies exactly the plan that it has made and checked. The state says what was done."""

    type = "terraform"
    summary = "Applies a Terraform module with terraform or tofu on the worker."
    resource_type = "terraform-workspace"
    config = TerraformConfig
    outputs = TerraformOutputs
    default_timeout = TIMEOUT_SECONDS
    breaker_keys: ClassVar[tuple[str, ...]] = ("source", "backend")
    targets: ClassVar[Mapping[str, Target]] = {"backend.config.*address": Target.ADDRESS}
    slow = True
    converges = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "source": {"git": "https://git.example.com/platform/modules", "ref": "v1.4.0"},
            "variables": {"name": "{{fields.instanceName}}", "size": "{{fields.storageSize}}"},
            "backend": {
                "type": "s3",
                "config": {"bucket": "states", "key": "databases", "region": "eu-west-1"},
            },
            "outputs": ["endpoint"],
        },
        {
            "source": {
                "registry": "terraform-aws-modules/vpc/aws",
                "version": "5.8.1",
                "directory": "modules/vpc-endpoints",
            },
            "workspace": "network",
            "execution": {"planOnly": True, "parallelism": 4},
        },
    )

    async def look(self, config: TerraformConfig, context: ActionContext) -> ActionResult | None:
        """Plan in the workspace: an empty plan means that everything is there."""
        required = _required(config, context)
        if required.plan_only:
            return None
        async with prepared(required, context, changing=False) as run:
            kept = await run.kept.find()
            if not await run.use_workspace(create=bool(kept)):
                return None
            await run.kept.write_back(kept)
            plan = await run.plan()
            if not plan.changes:
                return await applied(run, None, context)
            if there := await _in_the_state(run):
                message = f"{len(there)} resources are in the state already; the rest is missing"
                await context.log.warning(message, {"resources": [one.address for one in there]})
                raise _half_there(there, run)
            return None

    async def execute(self, config: TerraformConfig, context: ActionContext) -> ActionResult:
        """Plan, and apply what is missing."""
        required = _required(config, context)
        async with prepared(required, context, changing=True) as run:
            if required.plan_only:
                return await planned(run)
            kept = await run.kept.find()
            if not await run.use_workspace(create=not required.destroy or bool(kept)):
                raise ActionFailedError(
                    f"There is no workspace {required.workspace} to destroy; nothing was changed.",
                    judged=BAD_CALL,
                )
            await run.kept.write_back(kept)
            plan = await run.plan(for_apply=True)
            if plan.changes:
                await run.apply(plan)
            return await applied(run, plan.summary, context)

    def place(self, config: TerraformConfig) -> str:
        """Name module, backend and workspace, without what is secret."""
        backend = config.backend
        return named_place(
            Source(**config.source.model_dump()),
            config.workspace,
            backend.type if backend else None,
            backend.config if backend else {},
        )

    def breaker(self, config: TerraformConfig, context: ActionContext) -> str:
        """Guard the module together with the place of its state: either may be away."""
        required = _required(config, context)
        named = breaker_target(required.source, required.backend, required.backend_config)
        return context.secrets.hide(named)

    def cleanup(self, result: ActionResult) -> str:
        """Say how to destroy what is in the state."""
        outputs = result.outputs
        resources = outputs.get("resources", [])
        if not outputs.get("applied"):
            return "It was only planned: there is nothing to clean up."
        if not resources:
            return f"Nothing is left in {outputs.get('state')}: there is nothing to clean up."
        names = f"{', '.join(resources[:10])}{' and more' if len(resources) > 10 else ''}"  # noqa: PLR2004 -- enough to recognise it
        commands = outputs.get("commands")
        how = f" Commands: {commands} && terraform destroy" if commands else ""
        return f"Run terraform destroy in {outputs.get('state')}; in it are {names}.{how}"


def _required(config: TerraformConfig, context: ActionContext) -> Required:
    source, backend = config.source, config.backend
    if other := foreign_request_in(backend.config if backend else {}, context.request.request_id):
        raise ActionFailedError(
            f"The backend names {other}, which is not the id of this request: the state of another "
            "request cannot be used. Write {{request.id}} into it, or a name of its own.",
            judged=BAD_CALL,
        )
    return Required(
        source=Source(**source.model_dump()),
        workspace=config.workspace or context.mark,
        own=config.workspace is None and _own_address(config.backend, context),
        shared=config.shared,
        variables=config.variables,
        backend=config.backend.type if config.backend else None,
        backend_config=config.backend.config if config.backend else {},
        plan_only=config.execution.planOnly,
        approved=config.execution.approvedPlan,
        destroy=config.execution.destroy,
        parallelism=config.execution.parallelism,
        outputs=config.outputs,
    )


async def _in_the_state(run: Run) -> list[StateResource]:
    """Read what is in the state; a state that cannot be read is no empty one."""
    try:
        return await run.resources()
    except UnreadableError as error:
        raise ActionFailedError(
            f"The resources in the state could not be listed: {error}.", retryable=True
        ) from error


def _half_there(there: list[StateResource], run: Run) -> IncompleteError:
    left = own_or_touched(there, run.left_before, own=run.required.own)
    names = ", ".join(one.address for one in there[:10])
    return IncompleteError(
        f"In {run.whereabouts} are {len(there)} resources "
        f"({names}{' and more' if len(there) > 10 else ''}), "  # noqa: PLR2004 -- enough to recognise it
        "and a plan would still change something. A retry plans anew and applies the rest.",
        partial=[one.left_behind(run.whereabouts) for one in left],
        whole=True,
    )


def _own_address(backend: TerraformBackend | None, context: ActionContext) -> bool:
    """Say whether a state without workspaces is this request's: its address tells, if anything."""
    if backend is None or backend.type not in WITHOUT_WORKSPACES:
        return True
    address = str(backend.config.get("address", ""))
    return context.request.request_id in address or context.mark in address


ACTION = TerraformAction()
