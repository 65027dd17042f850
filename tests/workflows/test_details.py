import json
import re
from dataclasses import replace
from typing import Any

import pytest

from pao.core.documents import to_document
from pao.core.names import mark
from pao.core.payloads.actions import ActionState
from pao.core.payloads.cleanups import CleanupMark
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.waits import Approvers, OpenApproval, OpenWait, Vote
from pao.core.resources import resource_entry_id
from pao.core.states import ActionStatus, RequestStatus
from tests.support.requests import new_request
from workflows.commands import read_command
from workflows.details import MOST_NAMED, MOST_NOTE, SEND_SIGNAL, current_details, markdown_text

REQUEST = new_request()


# So many characters of code fit into the details of a narrow window.
WIDTH = 60
OFFER = re.compile(r"^- \*\*(\w+)\*\* (?:[^`\n]+  \n  )?`([^`\n]+)`$", re.MULTILINE)


def offered(text: str) -> dict[str, str]:
    """Return the signals that details offer, each with its input."""
    return dict(OFFER.findall(text))


def show(status: RequestStatus, *states: ActionState, retrying: bool = False) -> str:
    return current_details(REQUEST.context, status, list(states), retrying=retrying)


def action(status: ActionStatus, **more: Any) -> ActionState:
    return ActionState(
        id="ticket", index=0, type="jira-ticket", name="Ask", status=status, attempt=3, **more
    )


def failed(message: str, **more: Any) -> ActionState:
    error = ActionFailure(code="ACTION_FAILED", message=message, **more)
    return action(ActionStatus.FAILED, error=error)


def test_the_action_in_hand_and_its_attempt_are_in_the_headline() -> None:
    text = show(RequestStatus.IN_PROGRESS, action(ActionStatus.IN_PROGRESS))
    assert text.startswith("**in progress**: `ticket` (Ask) runs, attempt 3\n")


def test_the_title_comes_first_as_it_was_written() -> None:
    request = new_request()
    request.context.title = "orders *db* [x](http://x) <b>"
    text = current_details(request.context, RequestStatus.COMPLETED, [], retrying=False)
    shown = r"## Thing: orders \*db\* \[x\](http://x) \<b>"
    assert text.splitlines()[:3] == [shown, "", "**completed**"]


def test_a_retry_in_preparation_can_only_be_cancelled() -> None:
    text = show(RequestStatus.FAILED, failed("no"), retrying=True)
    assert text.startswith("**failed**: a retry is being prepared\n")
    assert list(offered(text)) == ["cancel"]


def test_each_decision_is_offered_with_an_input_that_is_valid_as_it_stands() -> None:
    inputs = offered(show(RequestStatus.FAILED, failed("no")))
    assert list(inputs) == ["retry", "abort", "escalate"]
    for name, text in inputs.items():
        assert len(text) <= WIDTH
        record, _ = read_command(name, (json.loads(text),), at="now", fallback_id="1")
        assert (record.message, record.by) == (None, "you")


def test_what_was_last_refused_is_told_in_one_line() -> None:
    text = current_details(
        REQUEST.context,
        RequestStatus.FAILED,
        [failed("no")],
        retrying=False,
        refused='`retry`, 12:00: the input\nis no object; send {"by": "you"} alone',
    )
    told = '`retry`, 12:00: the input is no object; send `{"by": "you"}` alone'
    assert f"\n**Last refused:** {told}\n" in text
    assert "Last refused" not in show(RequestStatus.FAILED, failed("no"))


def test_the_manual_way_of_a_hybrid_item_is_offered_until_it_is_taken() -> None:
    way = '"mode": "manual"'
    failure = [failed("the cluster is full")]
    offered = current_details(
        REQUEST.context, RequestStatus.FAILED, failure, retrying=False, manual_way=True
    )
    assert way in offered
    assert way not in show(RequestStatus.FAILED, *failure)


def test_an_error_of_many_lines_stays_one_quotation() -> None:
    text = show(RequestStatus.FAILED, failed("one\n\n# two\r\n three"))
    assert "\n> one # two three\n" in text


def test_a_resource_is_linked_and_an_adopted_one_told_as_such() -> None:
    done = action(
        ActionStatus.COMPLETED,
        external_reference="OPS-1",
        url="https://jira.example.org/browse/OPS-1",
        adopted=True,
    )
    text = show(RequestStatus.COMPLETED, done)
    link = "[OPS-1](https://jira.example.org/browse/OPS-1)"
    assert f"\n- `ticket` Ask: completed, {link} (adopted, not created again)" in text


def test_what_others_have_written_is_no_markdown() -> None:
    text, shown = "# ![x](http://x) _a_b_ ~*<b>", r"!\[x\](http://x) \_a_b\_ \~\*\<b>"
    approval = OpenApproval("approval", "now", message=text, approvers=Approvers(users=[text]))
    left = PartialResource(text, cleanup=text)
    states = [
        failed(text, partial=[left]),
        action(ActionStatus.WAITING, waiting=to_document(approval), note=text),
        action(ActionStatus.COMPLETED, external_reference=text, url="https://h/a b)[x]"),
        action(ActionStatus.COMPLETED, external_reference=text, left_behind=[left]),
    ]
    states[0].name = text
    states[0].partial = [left]
    for status in (RequestStatus.FAILED, RequestStatus.IN_PROGRESS):
        described = show(status, *states)
        assert text[2:] not in described
        assert f"> \\# {shown}\n" in described
        assert f"[\\# {shown}](https://h/a%20b%29[x])" in described


def test_a_request_that_failed_between_actions_still_offers_its_decisions() -> None:
    text = show(RequestStatus.FAILED, action(ActionStatus.PENDING))
    assert list(offered(text)) == ["retry", "abort", "escalate"]


def test_what_was_left_behind_is_read_in_every_state() -> None:
    left = PartialResource("jira-ticket", id="DB-1", cleanup="Close DB-1.")
    text = show(RequestStatus.COMPLETED, action(ActionStatus.COMPLETED, left_behind=[left]))
    assert "left behind by `ticket`: jira-ticket DB-1. Close DB-1. **Not reported" in text


def test_what_a_way_that_was_given_up_may_have_left_is_read_as_well() -> None:
    text = show(RequestStatus.COMPLETED, action(ActionStatus.SKIPPED, outcome_unknown=True))
    assert "left behind by `ticket`: jira-ticket. It is not known whether 'Ask' took effect" in text
    assert f"by the mark {mark(REQUEST.id, 'ticket', 0)} " in text


def test_what_was_reported_as_cleaned_up_is_told_with_who_says_so() -> None:
    left = PartialResource("jira-ticket", id="DB-1", url="https://jira/DB-1")
    other = PartialResource("jira-ticket", id="DB-2")
    entry = resource_entry_id("ticket", left)
    text = current_details(
        REQUEST.context,
        RequestStatus.FAILED,
        [action(ActionStatus.FAILED, left_behind=[left, other])],
        retrying=False,
        cleaned={entry: CleanupMark(entry, "*ann*", "closed\nit " + "x" * MOST_NOTE)},
    )
    told = f"closed it {'x' * (MOST_NOTE - len('closed it '))}"
    first = "jira-ticket DB-1 https://jira/DB-1. Remove it by hand."
    assert rf"`ticket`: {first} **Done**, says \*ann\*: {told}" + "\n" in text
    assert "`ticket`: jira-ticket DB-2. Remove it by hand. **Not reported as done.**" in text
    assert f"report it: `pao request cleanup {REQUEST.id}`" in text


def test_a_long_list_of_what_is_left_is_cut() -> None:
    left = [PartialResource("thing", id=f"t-{number}") for number in range(MOST_NAMED + 2)]
    named = ", ".join(f"t-{number}" for number in range(MOST_NAMED))
    text = show(RequestStatus.FAILED, failed("no"), action(ActionStatus.COMPLETED))
    assert "Left in its target" not in text
    for more, cut in ((0, f"{named}."), (2, f"{named} and 2 more.")):
        state = failed("no")
        state.partial = left[: MOST_NAMED + more]
        assert f"\nLeft in its target: {cut}\n" in show(RequestStatus.FAILED, state)


def test_several_actions_that_run_are_counted_and_notes_are_shown() -> None:
    running = action(ActionStatus.IN_PROGRESS)
    skipped = action(ActionStatus.SKIPPED, note="not\nneeded")
    text = show(RequestStatus.IN_PROGRESS, running, running, skipped)
    assert text.startswith("**in progress**: 2 actions run\n")
    assert "- `ticket` Ask: skipped (not needed)\n" in text


def test_an_approval_tells_who_may_decide_until_when_and_how() -> None:
    people = Approvers(users=["ann", "bob"], teams=["ops"])
    votes = [Vote("ann", "approve", "now"), Vote("bob", "approve", "now")]
    votes.append(Vote("cem", "reject", "now"))
    waiting = OpenApproval(
        "approval",
        "2026-03-01",
        deadline="2026-03-02",
        on_deadline="reject",
        message="May\nI?",
        approvers=people,
        minimum=3,
        decisions=votes,
    )
    text = show(
        RequestStatus.IN_PROGRESS, action(ActionStatus.WAITING, waiting=to_document(waiting))
    )
    assert "### `ticket` waits for an approval\n\n> May I?\n\n" in text
    assert "Approvers: ann, bob, team ops; 2 of 3 have approved." in text
    assert "Deadline: 2026-03-02, then: reject." in text
    for vote in ("approve", "reject"):
        assert f"pao request {vote} {REQUEST.id} --action ticket --reason '...'" in text
    assert list(offered(text)) == ["cancel"]


def test_a_wait_names_its_ticket_or_its_target() -> None:
    waiting = to_document(OpenWait("resolution", "2026-03-01"))
    made = {"external_reference": "NET-1", "url": "https://jira/NET-1"}
    text = show(RequestStatus.IN_PROGRESS, action(ActionStatus.WAITING, waiting=waiting, **made))
    assert "`ticket` waits for [NET-1](https://jira/NET-1) since 2026-03-01" in text
    text = show(RequestStatus.IN_PROGRESS, action(ActionStatus.WAITING, waiting=waiting))
    assert "`ticket` waits for its target since 2026-03-01" in text
    text = show(RequestStatus.IN_PROGRESS, action(ActionStatus.IN_PROGRESS, waiting=waiting))
    assert "waits for its target" not in text


def test_what_an_action_has_made_is_a_link_if_it_has_an_address() -> None:
    made = {"external_reference": "NET-1", "url": "https://jira/NET-1"}
    text = show(RequestStatus.COMPLETED, action(ActionStatus.COMPLETED, **made))
    assert ": completed, [NET-1](https://jira/NET-1)" in text
    text = show(RequestStatus.COMPLETED, action(ActionStatus.COMPLETED, **(made | {"url": None})))
    assert text.endswith(": completed, NET-1")


def test_an_unknown_outcome_is_told_once() -> None:
    assert "not known" not in show(RequestStatus.FAILED, failed("no"))
    in_doubt = failed("cut", outcome_unknown=True, retry="It asks again.")
    assert show(RequestStatus.FAILED, in_doubt).count("not known") == 1


def test_each_failed_action_is_told_with_its_attempt_and_a_suggestion() -> None:
    text = show(RequestStatus.FAILED, failed("no", http_status=400), action(ActionStatus.COMPLETED))
    assert "### `ticket` failed, attempt 3\n\n> no\n\nSuggested: **retry**. The values" in text
    assert text.count("### `ticket` failed") == 1


def blocks(text: str) -> list[str]:
    """Return the blocks of Markdown: what empty lines set apart, headings and code included."""
    return re.split(r"\n[ ]*\n", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://host/~ann/_layouts/x?y=_z", "see https://host/~ann/_layouts/x?y=_z"),
        ("https://host/[x](http://evil)", r"https://host/\[x\](http://evil)"),
        ("R&amp;D & more", r"R\&amp;D & more"),
        ("# one # two", r"\# one # two"),
    ],
)
def test_an_address_among_words_stays_whole(text: str, shown: str) -> None:
    assert markdown_text(text) == shown


def test_what_is_set_apart_in_markdown_is_a_block_of_its_own() -> None:
    left = PartialResource("jira-ticket", id="DB-1")
    approval = OpenApproval(
        "approval", "now", message="It costs.", approvers=Approvers(users=["ann"])
    )
    waits = action(ActionStatus.WAITING, waiting=to_document(approval))
    first, second = failed("no", outcome_unknown=True), failed("neither")
    first.partial = [left]
    pending = action(ActionStatus.PENDING)
    text = current_details(
        REQUEST.context,
        RequestStatus.FAILED,
        [waits, pending, first, second],
        retrying=False,
        refused="`retry`, 12:00: no",
    )
    found = blocks(text)
    assert found[:2] == ["**failed**", "**Last refused:** `retry`, 12:00: no"]
    assert found[2].splitlines() == [
        "- `ticket` Ask: waiting",
        "- `ticket` Ask: pending",
        "- `ticket` Ask: failed",
        "- `ticket` Ask: failed",
    ]
    assert found[3:6] == [
        "### `ticket` waits for an approval",
        "> It costs.",
        "Approvers: ann; 0 of 1 have approved.",
    ]
    commands = [one for one in found if "pao request" in one]
    assert [one.splitlines()[0] for one in commands] == ["  ```"] * 2
    assert [one.splitlines()[-1] for one in commands] == ["  ```"] * 2
    headings = [one for one in found if one.startswith("### ")]
    assert headings == [
        "### `ticket` waits for an approval",
        "### `ticket` failed, attempt 3",
        "### `ticket` failed, attempt 3",
        "### Decide",
    ]
    assert {"> no", "> neither", "Left in its target: DB-1.", SEND_SIGNAL} <= set(found)
    assert found[-1].startswith("- **retry** ")
    running = show(RequestStatus.IN_PROGRESS, action(ActionStatus.IN_PROGRESS))
    assert blocks(running)[2:3] == [SEND_SIGNAL]


def test_a_status_of_two_words_and_several_waits_are_shown() -> None:
    one = OpenApproval("approval", "now", approvers=Approvers(users=["ann"]), minimum=2)
    one = replace(one, decisions=[Vote("ann", "approve", "now"), Vote("bob", "reject", "now")])
    waits = action(ActionStatus.WAITING, waiting=to_document(one))
    runs = action(ActionStatus.IN_PROGRESS)
    text = show(RequestStatus.IN_PROGRESS, waits, waits, runs)
    assert "Ask: in progress" in text
    assert text.count("1 of 2 have approved.") == 2
    assert text.startswith("**in progress**")
