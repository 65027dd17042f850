"""The plan as a graph: what may run when, and what its templates see by then."""

from typing import Any

import pytest

from pao.core.graph import Graph
from pao.core.payloads.actions import ActionState
from pao.core.payloads.plan import PlannedAction
from pao.core.states import ActionStatus

PENDING, COMPLETED, SKIPPED = ActionStatus.PENDING, ActionStatus.COMPLETED, ActionStatus.SKIPPED


def action(id_: str, **more: Any) -> PlannedAction:
    return PlannedAction(id=id_, index=0, type="job", name=id_, **more)


def states(**found: ActionStatus) -> list[ActionState]:
    return [
        ActionState(id=id_, index=0, type="job", name=id_, status=status, outputs={"of": id_})
        for id_, status in found.items()
    ]


def ready(plan: list[PlannedAction], **found: ActionStatus) -> list[str]:
    return [state.id for state in Graph(plan).ready(states(**found))]


@pytest.mark.parametrize(
    ("first", "runs"),
    [
        (PENDING, ["first"]),
        (ActionStatus.IN_PROGRESS, []),
        (ActionStatus.WAITING, []),
        (ActionStatus.FAILED, []),
        (COMPLETED, ["second"]),
        (SKIPPED, ["second"]),
    ],
)
def test_an_action_waits_for_the_one_before_it(first: ActionStatus, runs: list[str]) -> None:
    assert ready([action("first"), action("second")], first=first, second=PENDING) == runs


def test_an_action_waits_for_all_that_it_names_and_for_nothing_else() -> None:
    plan = [
        action("a"),
        action("b", depends_on=[]),
        action("c", depends_on=["a", "b"]),
        action("d", depends_on=[]),
    ]
    assert ready(plan, a=PENDING, b=PENDING, c=PENDING, d=PENDING) == ["a", "b", "d"]
    assert ready(plan, a=COMPLETED, b=PENDING, c=PENDING, d=PENDING) == ["b", "d"]
    assert ready(plan, a=COMPLETED, b=SKIPPED, c=PENDING, d=COMPLETED) == ["c"]


def test_the_manual_way_begins_anew_and_follows_its_own_order() -> None:
    plan = [action("auto"), action("ask", fallback=True), action("tell", fallback=True)]
    assert ready(plan, auto=PENDING, ask=PENDING, tell=PENDING) == ["auto", "ask"]
    assert ready(plan, auto=PENDING, ask=COMPLETED, tell=PENDING) == ["auto", "tell"]


def seen(reads: list[str] | None, *, also: str | None = None) -> dict[str, dict[str, Any]]:
    plan = [
        action("a", alias="made"),
        action("b"),
        action("beside", depends_on=[]),
        action("last", depends_on=[also] if also else ["b"], reads=reads),
    ]
    found = states(a=COMPLETED, b=COMPLETED, beside=COMPLETED, last=PENDING)
    found[1].outputs = None
    return Graph(plan).outputs(plan[-1], found)


@pytest.mark.parametrize(
    ("reads", "outputs"),
    [
        (None, {"made": {"of": "a"}, "b": {}}),
        (["outputs.*"], {"made": {"of": "a"}, "b": {}}),
        (["outputs.made"], {"made": {"of": "a"}, "b": {}}),
        (["outputs.a", "fulfillment.made", "fulfillment.*"], {"made": {}, "b": {}}),
        ([], {"made": {}, "b": {}}),
    ],
)
def test_templates_see_the_outputs_that_they_read_of_what_ran_before(
    reads: list[str] | None, outputs: dict[str, dict[str, Any]]
) -> None:
    assert seen(reads) == outputs


def test_templates_see_nothing_of_what_they_do_not_wait_for() -> None:
    assert seen(None, also="beside") == {"beside": {"of": "beside"}}


@pytest.mark.parametrize(
    ("reads", "published"),
    [
        (None, {"host": "2", "port": 1}),
        (["fulfillment.*"], {"host": "2", "port": 1}),
        (["fulfillment.port"], {"port": 1}),
        (["outputs.*", "outputs.port"], {}),
    ],
)
def test_templates_see_the_last_of_what_was_published(
    reads: list[str] | None, published: dict[str, Any]
) -> None:
    plan = [
        action("a", publishes=["host", "port", "absent"]),
        action("b", publishes=["host"]),
        action("skipped", publishes=["port"]),
        action("last", reads=reads),
        action("later", publishes=["port"]),
    ]
    found = states(
        a=COMPLETED, b=COMPLETED, skipped=SKIPPED, last=ActionStatus.IN_PROGRESS, later=PENDING
    )
    found[0].outputs = {"host": "1", "port": 1, "secret": "s"}
    found[1].outputs = {"host": "2"}
    found[2].outputs = None
    found[4].outputs = {"port": 9}
    assert Graph(plan).published(plan[3], found) == published


def test_a_state_leads_to_its_planned_action() -> None:
    plan = [action("a"), action("b")]
    assert Graph(plan).action(states(b=PENDING)[0]) is plan[1]
