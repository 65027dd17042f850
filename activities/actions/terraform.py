"""The action type terraform: applies a module with terraform or tofu on the worker."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from activities.action_errors import ActionFailedError, IncompleteError
from activities.base import Action, ActionContext, CamelCaseOutputs
from activities.terraform.cli import UnreadableOutputError
from activities.terraform.config import TerraformBackend, TerraformConfig
from activities.terraform.execution import prepared_run
from activities.terraform.execution_spec import ExecutionSpec, ModuleSource
from activities.terraform.results import apply_result, plan_result
from activities.terraform.state import StateResource, filter_touched
from activities.terraform.state_location import (
    BACKEND_TARGETS,
    WITHOUT_WORKSPACES,
    breaker_target,
    describe_place,
    foreign_request_in,
)
from activities.terraform.steps import TerraformRun
from catalog.templating import Escaping
from pao.core.failure_classes import BAD_CALL
from pao.core.payloads.actions import ActionResult

TIMEOUT_SECONDS = 3600.0
_MAX_NAMES = 10


class PlanSummary(BaseModel):
    """How many resources the plan adds, changes and destroys."""

    add: int
    change: int
    destroy: int


class TerraformOutputs(CamelCaseOutputs):
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
    left_out: list[str] = Field(description="Names of outputs that are too large")
    applied: bool = Field(description="False if it was only planned")
    pin: dict[str, Any] | None = Field(
        description="Identifies a plan, for execution.approvedPlan; null after an apply"
    )


class TerraformAction(Action[TerraformConfig]):
    """Applies exactly the plan that it has made and checked."""

    type = "terraform"
    summary = "Applies a Terraform module with terraform or tofu on the worker."
    resource_type = "terraform-workspace"
    config = TerraformConfig
    outputs = TerraformOutputs
    default_timeout = TIMEOUT_SECONDS
    breaker_keys: ClassVar[tuple[str, ...]] = ("source", "backend")
    targets: ClassVar[Mapping[str, Escaping]] = {
        f"backend.config.{key}": target for key, target in BACKEND_TARGETS.items()
    }
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
        spec = _execution_spec(config, context)
        if spec.plan_only:
            return None
        async with prepared_run(spec, context, changing=False) as run:
            kept = await run.kept.find()
            if not await run.workspace.use(create=bool(kept)):
                return None
            await run.kept.write_back(kept)
            plan = await run.plan()
            if not plan.changes:
                return await apply_result(run, None, context)
            if there := await _resources_in_state(run):
                message = f"{len(there)} resources are in the state already; the rest is missing"
                await context.log.warning(message, {"resources": [one.address for one in there]})
                raise _incomplete_error(there, run)
            return None

    async def execute(self, config: TerraformConfig, context: ActionContext) -> ActionResult:
        """Plan, and apply what is missing."""
        spec = _execution_spec(config, context)
        async with prepared_run(spec, context, changing=True) as run:
            if spec.plan_only:
                return await plan_result(run)
            kept = await run.kept.find()
            if not await run.workspace.use(create=not spec.destroy or bool(kept)):
                raise ActionFailedError(
                    f"There is no workspace {spec.workspace} to destroy; nothing was changed.",
                    judged=BAD_CALL,
                )
            await run.kept.write_back(kept)
            plan = await run.plan(for_apply=True)
            if plan.changes:
                await run.apply(plan)
            return await apply_result(run, plan.summary, context)

    def place(self, config: TerraformConfig) -> str:
        """Return module, backend and workspace, without secrets."""
        backend = config.backend
        return describe_place(
            ModuleSource(**config.source.model_dump()),
            config.workspace,
            backend.type if backend else None,
            backend.config if backend else {},
        )

    def breaker(self, config: TerraformConfig, context: ActionContext) -> str:
        """Return the module together with its backend: either may be unavailable."""
        spec = _execution_spec(config, context)
        named = breaker_target(spec.source, spec.backend, spec.backend_config)
        return context.secrets.hide(named, whole=True)

    def cleanup(self, result: ActionResult) -> str:
        """Return how to destroy what is in the state."""
        outputs = result.outputs
        resources = outputs.get("resources", [])
        if not outputs.get("applied"):
            return "It was only planned: there is nothing to clean up."
        if not resources:
            return f"Nothing is left in {outputs.get('state')}: there is nothing to clean up."
        commands = outputs.get("commands")
        how = f" Commands: {commands} && terraform destroy" if commands else ""
        return (
            f"Run terraform destroy in {outputs.get('state')}; in it are "
            f"{_list_names(resources)}.{how}"
        )


def _execution_spec(config: TerraformConfig, context: ActionContext) -> ExecutionSpec:
    source, backend = config.source, config.backend
    if other := foreign_request_in(backend.config if backend else {}, context.request.request_id):
        raise ActionFailedError(
            f"The backend names {other}, which is not the id of this request: the state of another "
            "request cannot be used. Use {{request.id}} in it, or another name.",
            judged=BAD_CALL,
        )
    return ExecutionSpec(
        source=ModuleSource(**source.model_dump()),
        workspace=config.workspace or context.mark,
        own=config.workspace is None and _is_own_address(config.backend, context),
        shared=config.shared,
        variables=config.variables,
        backend=config.backend.type if config.backend else None,
        backend_config=config.backend.config if config.backend else {},
        plan_only=config.execution.plan_only,
        approved=config.execution.approved_plan,
        destroy=config.execution.destroy,
        parallelism=config.execution.parallelism,
        outputs=config.outputs,
    )


async def _resources_in_state(run: TerraformRun) -> list[StateResource]:
    """Return the resources in the state; raises if it cannot be read."""
    try:
        return await run.resources()
    except UnreadableOutputError as error:
        raise ActionFailedError(
            f"The resources in the state could not be listed: {error}.", retryable=True
        ) from error


def _incomplete_error(there: list[StateResource], run: TerraformRun) -> IncompleteError:
    left = filter_touched(there, run.known_resources, own=run.spec.own)
    names = _list_names([one.address for one in there])
    return IncompleteError(
        f"In {run.kept.location} are {len(there)} resources "
        f"({names}), "
        "and a plan would still change something. A retry plans again and applies the rest.",
        partial=[one.left_behind(run.kept.location) for one in left],
        whole=True,
    )


def _list_names(resources: Sequence[str]) -> str:
    """Return the first few names."""
    more = " and more" if len(resources) > _MAX_NAMES else ""
    return f"{', '.join(resources[:_MAX_NAMES])}{more}"


def _is_own_address(backend: TerraformBackend | None, context: ActionContext) -> bool:
    """Return whether a state without workspaces is this request's, by its address."""
    if backend is None or backend.type not in WITHOUT_WORKSPACES:
        return True
    address = str(backend.config.get("address", ""))
    return context.request.request_id in address or context.mark in address


ACTION = TerraformAction()
