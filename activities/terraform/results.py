"""The results of an execution: bounded and masked outputs, the plan, what is in the state."""

import json
from typing import Any

from activities.action_errors import ActionFailedError
from activities.base import ActionContext
from activities.terraform.cli import UnreadableOutputError
from activities.terraform.events import Summary
from activities.terraform.state import StateResource
from activities.terraform.steps import TerraformRun
from pao.core.names import MASK
from pao.core.payloads.actions import ActionResult

OUTPUTS_LIMIT = 64 * 1024
"""Bytes of JSON of all outputs together; further ones are omitted and listed."""
RESOURCES_LIMIT = 100


async def plan_result(run: TerraformRun) -> ActionResult:
    """Plan in the workspace, and remove it if it did not exist before."""
    kept = await run.kept.find()
    existed = await run.workspace.exists() or bool(kept)
    await run.workspace.use(create=True)
    try:
        await run.kept.write_back(kept)
        plan = await run.plan()
    finally:
        if not existed:
            await run.workspace.remove()
    nothing: dict[str, Any] = {"values": {}, "sensitive": [], "left_out": []}
    return _result(run, plan.summary, resources=[], **nothing, applied=False, pin=plan.pin)


async def apply_result(
    run: TerraformRun, summary: Summary | None, context: ActionContext
) -> ActionResult:
    """Return outputs and state; without a summary, one that adds all resources."""
    read = await run.outputs()
    taken = {
        name: output
        for name, output in read.items()
        if run.spec.outputs is None or name in run.spec.outputs
    }
    sensitive = sorted(name for name, output in taken.items() if output.get("sensitive"))
    values, left_out = _limit_outputs(taken)
    if left_out:
        message = f"Outputs too large to keep: {', '.join(left_out)}"
        await context.log.warning(message)
    there = await list_resources(run, context)
    if there is not None:
        await run.registration.note_after(len(there))
    there = there or []
    return _result(
        run,
        summary or _default_summary(run, there),
        resources=[resource.address for resource in there],
        values=values,
        sensitive=sensitive,
        left_out=left_out,
        applied=True,
    )


async def list_resources(run: TerraformRun, context: ActionContext) -> list[StateResource] | None:
    """Return the resources in the state; None if they cannot be listed, which is logged."""
    try:
        return await run.resources()
    except (UnreadableOutputError, ActionFailedError):
        await context.log.warning("The resources in the state could not be listed")
        return None


def _default_summary(run: TerraformRun, there: list[StateResource]) -> Summary:
    return Summary(add=len(there)) if run.spec.own else Summary()


def _limit_outputs(taken: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    left_out: list[str] = []
    room = OUTPUTS_LIMIT
    for name, output in sorted(taken.items()):
        value = MASK if output.get("sensitive") else output.get("value")
        size = len(json.dumps(value)) + len(name)
        if size > room:
            left_out.append(name)
            continue
        values[name] = value
        room -= size
    return values, left_out


def _result(
    run: TerraformRun, summary: Summary, *, resources: list[str], **more: Any
) -> ActionResult:
    return ActionResult(
        outputs={
            "values": more["values"],
            "plan": {
                "add": summary.add,
                "change": summary.change,
                "destroy": summary.destroy,
            },
            "workspace": run.spec.workspace,
            "state": str(run.kept.location),
            "commands": run.kept.location.commands,
            "resources": resources[:RESOURCES_LIMIT],
            "sensitive": more["sensitive"],
            "leftOut": more["left_out"],
            "applied": more["applied"],
            "pin": more.get("pin"),
        },
        external_reference=run.spec.workspace,
    )
