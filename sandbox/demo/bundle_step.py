"""The demo's step about a bundle: a component fails, is fixed, and the bundle continues."""

from typing import Any

from sandbox.demo.clients import DemoResponse
from sandbox.demo.steps import RESTARTING, DemoRun, SampleRequest

BUNDLE = "bundle-webapp-standard"


def a_bundle(demo: DemoRun) -> None:
    """Show that what depends on a failed component waits, and continues once it is fixed."""
    about = (
        "dana asks for a database, a namespace and a name at once. JIRA refuses the ticket of the "
        "second: the third waits until dana has retried the second."
    )
    name = demo.unique_name("shop")
    # Only the title of the namespace's ticket contains this.
    sample = SampleRequest(BUNDLE, f"Namespace {name} on", {"appName": name})
    with demo.output.step(
        "A component of a bundle fails, is fixed, and the bundle continues", about
    ):
        bundle = demo.submit_with_fault(sample, kind="status", status=503, message=RESTARTING)
        demo.output.check(
            "The first component is completed, the second has failed, the third waits",
            expected=["completed", "failed", "submitted"],
            actual=_statuses(bundle),
        )
        _show(demo, bundle)
        failed = [one for one in _components(bundle) if one["status"] == "failed"]
        if not failed:
            return
        demo.decide(demo.pao.get(f"/requests/{failed[0]['requestId']}"), "retry", "JIRA is back")
        done = demo.pao.wait_for_status(bundle.request, "completed")
        demo.output.check(
            "The bundle continued by itself to the end",
            expected=["completed"] * 3,
            actual=_statuses(done),
        )
        _show(demo, done)


def _show(demo: DemoRun, bundle: DemoResponse) -> None:
    for one in _components(bundle):
        made = [action.get("externalReference") or "" for action in one.get("actions") or ()]
        demo.output.fact(str(one["id"]), f"{one['status']}  {' '.join(made)}")


def _components(bundle: DemoResponse) -> list[dict[str, Any]]:
    return list(bundle.document.get("components") or [])


def _statuses(bundle: DemoResponse) -> list[str]:
    return [str(one["status"]) for one in _components(bundle)]
