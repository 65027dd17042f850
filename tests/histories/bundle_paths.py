"""The paths that a bundle and its components can take, each played once to be recorded."""

from tests.histories.request_paths import Play, escalated_at_the_second_try, reset_to
from tests.support.bundles import new_bundle
from tests.support.requests import Request, automatic, ticket
from tests.support.worker import Workbench, eventually
from tests.workflows.test_restored_postgres import lose

RIGHT = {"method": "POST", "path": "/issue$", "summaryContains": "right:"}


async def bundle(bench: Workbench) -> Request:
    """Two components at once, a third with the first one's output, then an action of the bundle."""
    summary = "own: {{components.left.outputs.key}} {{output/last/key}}"
    whole = await new_bundle(ticket("own", summary=summary)).submit(bench)
    await bench.reached(whole, "completed")
    return whole


async def bundle_component_retried(bench: Workbench) -> Request:
    """A component fails, fails again when it is retried, is retried once more; the rest goes on."""
    made = new_bundle(after={"left": [], "right": [], "last": ["right"]})
    bench.jira.fault("status", status=400, match=RIGHT, times=2)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await bench.decide(whole, "retry")
    await bench.decide(made.parts["right"], "retry")
    await bench.reached(made.parts["right"], "failed", attempt=2)
    await bench.decide(made.parts["right"], "retry")
    await bench.reached(whole, "completed")
    return whole


async def bundle_aborted(bench: Workbench) -> Request:
    """A component is aborted, then the bundle, which ends the one that never began."""
    made = new_bundle(after={"left": [], "right": [], "last": ["right"]})
    bench.jira.fault("status", status=400, match=RIGHT)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await bench.decide(made.parts["right"], "abort")
    await eventually(lambda: bench.has_logged(whole, "It was aborted"))
    await bench.decide(whole, "abort")
    await bench.reached(whole, "aborted")
    return whole


async def bundle_resumed(bench: Workbench) -> Request:
    """Terminated while a component is failed, which is fixed meanwhile; then retried."""
    made = new_bundle(after={"left": [], "right": [], "last": ["right"]})
    bench.jira.fault("status", status=400, match=RIGHT)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await bench.terminate(whole)
    await bench.decide(made.parts["right"], "retry")
    await bench.reached(made.parts["right"], "completed")
    await bench.take_up(whole, "The workflow was terminated in Temporal.")
    await eventually(lambda: bench.has_logged(whole, "A retry continues"))
    await bench.decide(whole, "retry")
    await bench.reached(whole, "completed")
    return whole


async def bundle_resumed_broken(bench: Workbench) -> Request:
    """Terminated and resumed while a component is failed, which is retried then."""
    made = new_bundle(after={"left": [], "right": [], "last": ["right"]})
    bench.jira.fault("status", status=400, match=RIGHT)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await bench.terminate(whole)
    await bench.take_up(whole, "The workflow was terminated in Temporal.")
    await bench.handle(whole).execute_update("mirror_again")
    await bench.decide(made.parts["right"], "retry")
    await bench.reached(made.parts["right"], "completed")
    await eventually(lambda: bench.has_logged(whole, "A retry continues"))
    await bench.decide(whole, "retry")
    await bench.reached(whole, "completed")
    return whole


async def component(bench: Workbench) -> Request:
    """A component that fails, is retried, and tells its bundle each time."""
    made = new_bundle(after={"left": [], "right": []})
    bench.jira.fault("status", status=400, match=RIGHT)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await bench.decide(made.parts["right"], "retry")
    await bench.reached(whole, "completed")
    return made.parts["right"]


async def bundle_escalated(bench: Workbench) -> Request:
    """Cancelled while a component runs, which fails; a second escalation makes the one ticket."""
    made = new_bundle(after={"left": [], "right": [], "last": ["right"]})
    bench.jira.fault("slow", seconds=30, when="before", match={"summaryContains": "right"})
    whole = await made.submit(bench)
    await bench.reached(made.parts["left"], "completed")
    await bench.reached(made.parts["right"], "in_progress")
    await bench.decide(whole, "cancel", reason="it hangs")
    await bench.reached(whole, "failed")
    await bench.decide(whole, "retry")
    await escalated_at_the_second_try(bench, whole)
    return whole


async def bundle_told_in_vain(bench: Workbench) -> Request:
    """Signals that are no reports; its own action fails once after all components."""
    made = new_bundle(ticket("own"), after={"left": [], "right": []})
    own = {"method": "POST", "path": "/issue$", "summaryContains": "own:"}
    bench.jira.fault("status", status=400, match=own)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await bench.signal(whole, "component_changed")
    await bench.signal(whole, "component_changed", {"component": "left"})
    await bench.decide(whole, "retry")
    await bench.reached(whole, "completed")
    return whole


async def component_ended_after_its_retry(bench: Workbench) -> Request:
    """Its bundle is aborted while a retry of it waits for people, which ends first."""
    gate = {"id": "ok", "type": "approval", "config": {"approvers": {"users": ["ann"]}}}
    gated = automatic(ticket("right"), gate, parallel=True)
    made = new_bundle(after={"left": [], "right": []}, items={"right": gated})
    bench.jira.fault("status", status=400, match=RIGHT, times=3)
    whole, part = await made.submit(bench), made.parts["right"]
    await bench.is_waiting(part)
    await bench.decide(part, "reject", by="ann")
    await bench.reached(whole, "failed")
    await bench.decide(part, "retry")
    await bench.is_waiting(part)
    await bench.signal(part, "abort", {"by": "ann", "decisionId": "too-early"})
    await bench.decide(part, "cancel", decisionId="end-it")
    await bench.reached(part, "failed", attempt=2)
    await bench.decide(part, "retry", decisionId="again")
    await bench.is_waiting(part)
    told = {"decision": "abort", "decision_id": "b-1", "by": "ann", "via": "api"}
    await bench.proven_signal(part, "bundle_decision", told)
    await bench.decide(part, "approve", by="ann", decisionId="yes")
    await bench.reached(part, "aborted")
    return part


async def component_reset(bench: Workbench) -> Request:
    """Cancelled by its bundle, then reset to its beginning: the decision is played again."""
    made = new_bundle(after={"left": [], "right": []})
    bench.jira.fault("slow", seconds=30, when="before", match={"summaryContains": "right"})
    whole, part = await made.submit(bench), made.parts["right"]
    await bench.reached(part, "in_progress")
    await bench.decide(whole, "cancel", reason="it hangs")
    await bench.reached(whole, "failed")
    await reset_to(bench, part, "completed", task=0)
    return part


async def component_row_lost(bench: Workbench) -> Request:
    """Postgres lacks a component and its bundle, whose row comes first."""
    made = new_bundle(after={"left": [], "right": []})
    bench.jira.fault("status", status=400, match=RIGHT)
    whole, part = await made.submit(bench), made.parts["right"]
    await bench.reached(whole, "failed")
    await lose(bench, part, whole)
    await bench.signal(part, "retry", {"by": "ann"})
    await eventually(lambda: bench.times_scheduled(part, "make-lost-row"))
    await bench.handle(whole).execute_update("mirror_again")
    await bench.reached(whole, "completed")
    return part


async def bundle_component_lost(bench: Workbench) -> Request:
    """Postgres lacks a component when it is its turn, and gets it back later."""
    made = new_bundle(after={"right": [], "last": ["right"]})
    bench.jira.fault("status", status=400, match=RIGHT)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await lose(bench, made.parts["last"])
    await bench.decide(made.parts["right"], "retry")
    await eventually(lambda: bench.times_scheduled(whole, "prepare-component"))
    async with bench.database.unit_of_work() as session:
        await made.insert("last", session)
    await bench.reached(whole, "completed")
    return whole


async def component_cancelled(bench: Workbench) -> Request:
    """Cancelled by its bundle while it runs, and aborted with it."""
    made = new_bundle(after={"left": [], "right": []})
    bench.jira.fault("slow", seconds=30, when="before", match={"summaryContains": "right"})
    whole = await made.submit(bench)
    await bench.reached(made.parts["right"], "in_progress")
    # What does not come from the bundle is a decision of Temporal, or none.
    told = {"decision": "cancel", "decision_id": "d-1", "by": "eve", "via": "api"}
    await bench.signal(made.parts["right"], "bundle_decision", told | {"decision": "retry"})
    await bench.decide(whole, "cancel", reason="it hangs")
    await bench.reached(whole, "failed")
    await bench.signal(made.parts["right"], "bundle_decision", told)
    await bench.decide(whole, "abort")
    await bench.reached(whole, "aborted")
    return made.parts["right"]


async def component_ended_by_its_bundle(bench: Workbench) -> Request:
    """A component that never began, and is escalated with its bundle."""
    made = new_bundle(after={"right": [], "last": ["right"]})
    bench.jira.fault("status", status=400, match=RIGHT)
    whole = await made.submit(bench)
    await bench.reached(whole, "failed")
    await bench.decide(whole, "escalate")
    await bench.reached(whole, "escalated")
    return made.parts["last"]


OF_BUNDLES: dict[str, Play] = {
    "bundle": bundle,
    "bundle-component-retried": bundle_component_retried,
    "bundle-aborted": bundle_aborted,
    "bundle-resumed": bundle_resumed,
    "bundle-resumed-broken": bundle_resumed_broken,
    "bundle-escalated": bundle_escalated,
    "component": component,
    "component-cancelled": component_cancelled,
    "bundle-told-in-vain": bundle_told_in_vain,
    "component-ended-after-its-retry": component_ended_after_its_retry,
    "component-reset": component_reset,
    "component-row-lost": component_row_lost,
    "bundle-component-lost": bundle_component_lost,
    "component-ended-by-its-bundle": component_ended_by_its_bundle,
}
