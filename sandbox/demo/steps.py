"""The steps of the demo and their expected results; stage.py displays them."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pao.core.names import mark
from sandbox.demo.stage import Stage
from sandbox.demo.world import ApiResponse, Document, Jira, Pao

BUDGET_SECONDS = 3.0
RESTARTING = "JIRA is being restarted."
CREATED, OK, FORBIDDEN, CONFLICT, INVALID = 201, 200, 403, 409, 422


@dataclass(frozen=True, slots=True)
class Order:
    """A request that dana submits; ``name`` is in its ticket's title and in no other's."""

    item: str
    name: str
    fields: Mapping[str, Any]


class Play:
    """What the steps share: the user, the stand-in, the stage, and names that are new each time."""

    def __init__(self, pao: Pao, jira: Jira, stage: Stage) -> None:
        self.pao = pao
        self.jira = jira
        self.stage = stage
        self._run = secrets.token_hex(2)

    def named(self, name: str) -> str:
        """Make ``name`` one that no earlier run has used."""
        return f"{name}-{self._run}"

    def submit(self, order: Order) -> ApiResponse:
        """Submit ``order``, and show what came back."""
        given = " ".join(f"{name}={value}" for name, value in order.fields.items())
        self.stage.asks(f"POST /api/v1/requests  {order.item}  {given}")
        body = {"catalogItemId": order.item, "fields": dict(order.fields)}
        answer = self.pao.post("/requests", body)
        self._show(answer)
        return answer

    def submit_broken(self, order: Order, **fault: Any) -> ApiResponse:
        """Submit ``order`` while JIRA suffers ``fault``; returns the request with its context."""
        told = " ".join(f"{name}={value}" for name, value in fault.items())
        self.stage.behind(f"POST {self.jira.url}/sandbox/faults  {told}")
        with self.jira.failing(order.name, **fault):
            answer = self._settled(self.submit(order))
        self.stage.check(
            "The request is kept as failed and waits for a person",
            expected="failed",
            came=_state(answer),
        )
        request = self.pao.get(f"/requests/{answer.request}")
        suggested = _context(request).get("suggestedDecision") or {}
        self.stage.fact("suggested", f"{suggested.get('decision')}: {suggested.get('reason')}")
        self.stage.link("workflow", _workflow(request))
        return request

    def decide(self, request: ApiResponse, decision: str, reason: str) -> ApiResponse:
        """Send a decision about ``request``, and show what came back."""
        self.stage.asks(f'POST /api/v1/requests/{request.request}/{decision}  "{reason}"')
        path = f"/requests/{request.request}/{decision}"
        answer = self.pao.post(path, {"reason": reason})
        self._show(answer)
        return self._settled(answer)

    def look(self, request: ApiResponse) -> ApiResponse:
        """Ask JIRA through PAO whether the failed action took effect, and show the answer."""
        self.stage.asks(f"POST /api/v1/requests/{request.request}/look")
        answer = self.pao.post(f"/requests/{request.request}/look", {})
        adopted = answer.document.get("wouldAdopt") or {}
        word = answer.document.get("answer") or answer.error.get("code")
        self.stage.answers(answer.status, word, adopted.get("externalReference"))
        self.stage.fact("because", answer.document.get("reason") or answer.error.get("message"))
        return answer

    def check_ticket(self, request: ApiResponse) -> None:
        """Check that the request's ticket is in JIRA, and the only one that was made for it."""
        self.stage.fact("ticket", request.action.get("externalReference"))
        self.stage.link("address", request.action.get("url"))
        label = mark(request.request, str(request.action.get("id")))
        self.stage.check(
            f"JIRA has exactly one ticket with the request's label {label}: "
            f"{request.action.get('externalReference')}",
            expected=[request.action.get("externalReference")],
            came=[ticket["key"] for ticket in self.jira.tickets(label)],
        )

    def _show(self, answer: ApiResponse) -> None:
        took = f"after {answer.seconds:.2f} s"
        self.stage.answers(answer.status, _state(answer), took)
        # What has been decided keeps its error, which has been told before.
        if answer.document.get("status") in {None, "failed"}:
            self.stage.fact("error", answer.error.get("message"))

    def _settled(self, answer: ApiResponse) -> ApiResponse:
        settled = self.pao.settled(answer)
        if settled is not answer:
            self._show(settled)
        return settled


Step = Callable[[Play], None]


def one_call(play: Play) -> None:
    """Show that a sample request becomes a ticket within the budget."""
    about = "dana asks for a PostgreSQL database of 100 GB: one call, answered with the ticket."
    fields = {"instanceName": "orders-db", "storageSize": 100}
    order = Order("database-postgresql-standard", "orders-db", fields)
    with play.stage.step("A request becomes a JIRA ticket in one call", about):
        answer = play.submit(order)
        play.stage.check(
            "The request is completed, in the answer to its submission",
            expected=(CREATED, "completed"),
            came=(answer.status, _state(answer)),
        )
        play.stage.check(
            f"It took {answer.seconds:.2f} s of the {BUDGET_SECONDS:.0f} s that it may take",
            expected=f"at most {BUDGET_SECONDS:.0f} s",
            came=f"at most {max(answer.seconds, BUDGET_SECONDS):.4g} s",
        )
        play.check_ticket(answer)
        play.stage.link("workflow", _workflow(answer))


def failure_and_retry(play: Play) -> None:
    """Show a failed creation with its reason, and the retry that completes it."""
    about = "JIRA answers 503. Nothing is retried behind dana's back: she decides, and retries."
    order = _bucket(play.named("orders-exports"))
    with play.stage.step("A ticket cannot be created, and a retry completes the request", about):
        request = play.submit_broken(order, kind="status", status=503, message=RESTARTING)
        play.stage.check("A retry is suggested", expected="retry", came=_suggested(request))
        retried = play.decide(request, "retry", "JIRA is back")
        play.stage.check(
            "The second attempt completed it",
            expected=("completed", 2),
            came=(_state(retried), retried.action.get("attempt")),
        )
        play.check_ticket(retried)


def escalation(play: Play) -> None:
    """Show a failed request handed over to people, with a ticket that contains all the details."""
    about = "JIRA keeps refusing. dana escalates the request: a ticket tells the whole story."
    order = _dns_record(play.named("shop"))
    message = "You do not have permission to create issues in this project."
    with play.stage.step("A request is escalated", about):
        request = play.submit_broken(order, kind="status", status=403, message=message)
        escalated = play.decide(request, "escalate", "JIRA's permissions need an administrator")
        play.stage.check("It is escalated", expected="escalated", came=_state(escalated))
        _check_escalation_ticket(play, request, message)


def _check_escalation_ticket(play: Play, request: ApiResponse, message: str) -> None:
    play.stage.asks(f"GET /api/v1/requests/{request.request}/escalation")
    found = play.pao.get(f"/requests/{request.request}/escalation")
    key = str(found.document.get("ticketKey"))
    live = found.document.get("ticket") or {}
    play.stage.answers(found.status, found.error.get("code"))
    play.stage.fact("ticket", f"{key} (in JIRA now: {live.get('status')})")
    play.stage.link("address", found.document.get("url"))
    ticket = play.jira.ticket(key)
    play.stage.fact("title", ticket.get("summary"))
    told = str(ticket.get("description"))
    play.stage.check(
        f"{key} is in JIRA and tells request and error",
        expected=(True, True),
        came=(request.request in told, message in told),
    )


def abortion(play: Play) -> None:
    """Show a failed request ended for good, with the reason on record."""
    about = "JIRA refuses a field. dana no longer needs the namespace, and aborts the request."
    name = play.named("orders")
    order = Order("container-eks-namespace", name, {"namespaceName": name})
    message = "Field 'priority' cannot be set. It is not on the appropriate screen, or unknown."
    with play.stage.step("A request is aborted", about):
        request = play.submit_broken(order, kind="status", status=400, message=message)
        _check_nothing_left(play, request)
        reason = "Not needed any more"
        aborted = play.decide(request, "abort", reason)
        reasons = [entry.get("reason") for entry in aborted.document.get("decisions") or ()]
        play.stage.check(
            "It is aborted, and the reason is on record",
            expected=("aborted", [reason]),
            came=(_state(aborted), reasons),
        )
        again = play.decide(request, "retry", "I have changed my mind")
        play.stage.check(
            "It can no longer change",
            expected=(CONFLICT, "INVALID_STATE_TRANSITION"),
            came=(again.status, again.error.get("code")),
        )


def _check_nothing_left(play: Play, request: ApiResponse) -> None:
    looked = play.look(request)
    play.stage.check(
        "JIRA has no ticket for it: there is nothing to clean up there",
        expected="absent",
        came=looked.document.get("answer"),
    )
    left = [str(entry.get("instructions")) for entry in _context(request).get("cleanup") or ()]
    play.stage.check("There is nothing else to clean up by hand either", expected=[], came=left)


def line_cut(play: Play) -> None:
    """Show that a ticket that was made although no answer came is adopted, not made twice."""
    about = (
        "The connection breaks after JIRA has created the ticket: PAO cannot know whether it did."
    )
    name = play.named("sessions")
    order = Order("database-redis-cache", name, {"cacheName": name})
    with play.stage.step("The connection breaks, and no second ticket is created", about):
        request = play.submit_broken(order, kind="cut-after")
        play.stage.check(
            "PAO says that the outcome is unknown",
            expected=True,
            came=request.action.get("outcomeUnknown"),
        )
        label = mark(request.request, str(request.action.get("id")))
        made = [ticket["key"] for ticket in play.jira.tickets(label)]
        looked = play.look(request)
        adopted = looked.document.get("wouldAdopt") or {}
        play.stage.check(
            "A look finds the ticket that JIRA had created",
            expected=("found", made),
            came=(looked.document.get("answer"), [adopted.get("externalReference")]),
        )
        retried = play.decide(request, "retry", "Adopt what was made")
        play.stage.check(
            "The retry adopted that same ticket",
            expected=("completed", True, made),
            came=(
                _state(retried),
                retried.action.get("adopted"),
                [retried.action.get("externalReference")],
            ),
        )
        play.check_ticket(retried)


def refusals(play: Play) -> None:
    """Show what is refused: a request that is not allowed, and one that is not filled in right."""
    about = "Two submissions are refused before anything is stored."
    with play.stage.step("Invalid and forbidden requests are refused", about):
        fields = {"repository": "orders", "person": "dana@example.com"}
        answer = play.submit(Order("access-github-repository", "orders", fields))
        play.stage.check(
            "Only the allowed teams may request it",
            expected=(FORBIDDEN, "FORBIDDEN"),
            came=(answer.status, answer.error.get("code")),
        )
        wrong = {"instanceName": "Orders!", "storageSize": "big", "engineVersion": "9"}
        answer = play.submit(Order("database-postgresql-standard", "Orders!", wrong))
        details = answer.error.get("details") or ()
        for detail in details:
            play.stage.fact("detail", f"{detail.get('field')}: {detail.get('message')}")
        play.stage.check(
            "Every invalid field is named at once",
            expected=(INVALID, sorted(f"fields.{name}" for name in wrong)),
            came=(answer.status, sorted({str(detail.get("field")) for detail in details})),
        )


STEPS: tuple[Step, ...] = (
    one_call,
    failure_and_retry,
    escalation,
    abortion,
    line_cut,
    refusals,
)


def left_waiting(play: Play) -> Document:
    """Leave a failed request for the person who watches; nothing where that did not work."""
    order = _bucket(play.named("reports"))
    with play.jira.failing(order.name, kind="status", status=503, message=RESTARTING):
        body = {"catalogItemId": order.item, "fields": dict(order.fields)}
        answer = play.pao.settled(play.pao.post("/requests", body))
    return answer.document if _state(answer) == "failed" else {}


def _bucket(name: str) -> Order:
    return Order("storage-s3-bucket", name, {"bucketName": name, "dataClass": "internal"})


def _dns_record(name: str) -> Order:
    fields = {"hostName": f"{name}.example.com", "address": "10.20.30.40"}
    return Order("network-dns-record", name, fields)


def _state(answer: ApiResponse) -> str:
    """Say the request's state, or the code of the refusal that came instead of it."""
    return str(answer.document.get("status") or answer.error.get("code"))


def _context(request: ApiResponse) -> Document:
    return dict(request.document.get("errorContext") or {})


def _suggested(request: ApiResponse) -> object:
    return (_context(request).get("suggestedDecision") or {}).get("decision")


def _workflow(request: ApiResponse) -> object:
    return (request.document.get("links") or {}).get("workflow")
