"""The demo's step about a bundle: a component fails, is fixed, and the bundle continues."""

from typing import Any

from sandbox.demo.steps import RESTARTING, Order, Play
from sandbox.demo.world import ApiResponse

BUNDLE = "bundle-webapp-standard"


def a_bundle(play: Play) -> None:
    """Show that what depends on a failed component waits, and continues once that is fixed."""
    about = (
        "dana asks for a database, a namespace and a name at once. JIRA refuses the ticket of the "
        "second: the third waits until dana has the second tried again."
    )
    name = play.named("shop")
    # The title of the namespace's ticket, and of no other.
    order = Order(BUNDLE, f"Namespace {name} on", {"appName": name})
    with play.stage.step(
        "A component of a bundle fails, is fixed, and the bundle continues", about
    ):
        bundle = play.submit_broken(order, kind="status", status=503, message=RESTARTING)
        play.stage.check(
            "The first component is completed, the second has failed, the third waits",
            expected=["completed", "failed", "submitted"],
            came=_statuses(bundle),
        )
        _show(play, bundle)
        failed = [one for one in _components(bundle) if one["status"] == "failed"]
        if not failed:
            return
        play.decide(play.pao.get(f"/requests/{failed[0]['requestId']}"), "retry", "JIRA is back")
        done = play.pao.reached(bundle.request, "completed")
        play.stage.check(
            "The bundle continued by itself to the end",
            expected=["completed"] * 3,
            came=_statuses(done),
        )
        _show(play, done)


def _show(play: Play, bundle: ApiResponse) -> None:
    for one in _components(bundle):
        made = [action.get("externalReference") or "" for action in one.get("actions") or ()]
        play.stage.fact(str(one["id"]), f"{one['status']}  {' '.join(made)}")


def _components(bundle: ApiResponse) -> list[dict[str, Any]]:
    return list(bundle.document.get("components") or [])


def _statuses(bundle: ApiResponse) -> list[str]:
    return [str(one["status"]) for one in _components(bundle)]
