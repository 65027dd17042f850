"""The steps of the demo and their expected results; output.py displays them."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pao.core.names import mark
from sandbox.demo.clients import DemoResponse, Document, JiraStandIn, PaoClient
from sandbox.demo.output import DemoOutput

BUDGET_SECONDS = 3.0
RESTARTING = "JIRA is being restarted."
CREATED, OK, FORBIDDEN, CONFLICT, INVALID = 201, 200, 403, 409, 422


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """A request that dana submits; ``name`` is in the title of its ticket only."""

    item: str
    name: str
    fields: Mapping[str, Any]


class DemoRun:
    """What the steps share: the user, the stand-in, the output, and unique names."""

    def __init__(self, pao: PaoClient, jira: JiraStandIn, output: DemoOutput) -> None:
        self.pao = pao
        self.jira = jira
        self.output = output
        self._run = secrets.token_hex(2)

    def unique_name(self, name: str) -> str:
        """Return ``name`` with a suffix that no earlier run has used."""
        return f"{name}-{self._run}"

    def submit(self, sample: SampleRequest) -> DemoResponse:
        """Submit ``sample``, and show the response."""
        given = " ".join(f"{name}={value}" for name, value in sample.fields.items())
        self.output.call(f"POST /api/v1/requests  {sample.item}  {given}")
        body = {"catalogItemId": sample.item, "fields": dict(sample.fields)}
        answer = self.pao.post("/requests", body)
        self._show(answer)
        return answer

    def submit_with_fault(self, sample: SampleRequest, **fault: Any) -> DemoResponse:
        """Submit ``sample`` while JIRA suffers ``fault``; returns the request with its context."""
        text = " ".join(f"{name}={value}" for name, value in fault.items())
        self.output.note(f"POST {self.jira.url}/sandbox/faults  {text}")
        with self.jira.inject_fault(sample.name, **fault):
            answer = self._wait_until_settled(self.submit(sample))
        self.output.check(
            "The request has failed and waits for a decision",
            expected="failed",
            actual=_state(answer),
        )
        request = self.pao.get(f"/requests/{answer.request}")
        suggested = _context(request).get("suggestedDecision") or {}
        self.output.fact("suggested", f"{suggested.get('decision')}: {suggested.get('reason')}")
        self.output.link("workflow", _workflow(request))
        return request

    def decide(self, request: DemoResponse, decision: str, reason: str) -> DemoResponse:
        """Send a decision about ``request``, and show the response."""
        self.output.call(f'POST /api/v1/requests/{request.request}/{decision}  "{reason}"')
        path = f"/requests/{request.request}/{decision}"
        answer = self.pao.post(path, {"reason": reason})
        self._show(answer)
        return self._wait_until_settled(answer)

    def look(self, request: DemoResponse) -> DemoResponse:
        """Ask JIRA through PAO whether the failed action took effect, and show the answer."""
        self.output.call(f"POST /api/v1/requests/{request.request}/look")
        answer = self.pao.post(f"/requests/{request.request}/look", {})
        adopted = answer.document.get("wouldAdopt") or {}
        word = answer.document.get("answer") or answer.error.get("code")
        self.output.response(answer.status, word, adopted.get("externalReference"))
        self.output.fact("because", answer.document.get("reason") or answer.error.get("message"))
        return answer

    def check_ticket(self, request: DemoResponse) -> None:
        """Check that the request's ticket is in JIRA, and the only one that was made for it."""
        self.output.fact("ticket", request.action.get("externalReference"))
        self.output.link("address", request.action.get("url"))
        label = mark(request.request, str(request.action.get("id")))
        self.output.check(
            f"JIRA has exactly one ticket with the request's label {label}: "
            f"{request.action.get('externalReference')}",
            expected=[request.action.get("externalReference")],
            actual=[ticket["key"] for ticket in self.jira.tickets(label)],
        )

    def _show(self, answer: DemoResponse) -> None:
        took = f"after {answer.seconds:.2f} s"
        self.output.response(answer.status, _state(answer), took)
        # A decided request keeps its error, which has been shown before.
        if answer.document.get("status") in {None, "failed"}:
            self.output.fact("error", answer.error.get("message"))

    def _wait_until_settled(self, answer: DemoResponse) -> DemoResponse:
        settled = self.pao.wait_until_settled(answer)
        if settled is not answer:
            self._show(settled)
        return settled


Step = Callable[[DemoRun], None]


def one_call(demo: DemoRun) -> None:
    """Show that a sample request becomes a ticket within the budget."""
    about = "dana asks for a PostgreSQL database of 100 GB: one call, answered with the ticket."
    fields = {"instanceName": "orders-db", "storageSize": 100}
    sample = SampleRequest("database-postgresql-standard", "orders-db", fields)
    with demo.output.step("A request becomes a JIRA ticket in one call", about):
        answer = demo.submit(sample)
        demo.output.check(
            "The request is completed, in the answer to its submission",
            expected=(CREATED, "completed"),
            actual=(answer.status, _state(answer)),
        )
        demo.output.check(
            f"It took {answer.seconds:.2f} s of the {BUDGET_SECONDS:.0f} s that it may take",
            expected=f"at most {BUDGET_SECONDS:.0f} s",
            actual=f"at most {max(answer.seconds, BUDGET_SECONDS):.4g} s",
        )
        demo.check_ticket(answer)
        demo.output.link("workflow", _workflow(answer))


def failure_and_retry(demo: DemoRun) -> None:
    """Show a failed creation with its reason, and the retry that completes it."""
    about = "JIRA answers 503. PAO does not retry by itself: dana decides, and retries."
    sample = _bucket(demo.unique_name("orders-exports"))
    with demo.output.step("A ticket cannot be created, and a retry completes the request", about):
        request = demo.submit_with_fault(sample, kind="status", status=503, message=RESTARTING)
        demo.output.check(
            "A retry is suggested", expected="retry", actual=_suggested_decision(request)
        )
        retried = demo.decide(request, "retry", "JIRA is back")
        demo.output.check(
            "The second attempt completed it",
            expected=("completed", 2),
            actual=(_state(retried), retried.action.get("attempt")),
        )
        demo.check_ticket(retried)


def escalation(demo: DemoRun) -> None:
    """Show a failed request handed over to people, with a ticket that contains all the details."""
    about = "JIRA keeps refusing. dana escalates the request: a ticket contains all the details."
    sample = _dns_record(demo.unique_name("shop"))
    message = "You do not have permission to create issues in this project."
    with demo.output.step("A request is escalated", about):
        request = demo.submit_with_fault(sample, kind="status", status=403, message=message)
        escalated = demo.decide(request, "escalate", "JIRA's permissions need an administrator")
        demo.output.check("It is escalated", expected="escalated", actual=_state(escalated))
        _check_escalation_ticket(demo, request, message)


def _check_escalation_ticket(demo: DemoRun, request: DemoResponse, message: str) -> None:
    demo.output.call(f"GET /api/v1/requests/{request.request}/escalation")
    found = demo.pao.get(f"/requests/{request.request}/escalation")
    key = str(found.document.get("ticketKey"))
    live = found.document.get("ticket") or {}
    demo.output.response(found.status, found.error.get("code"))
    demo.output.fact("ticket", f"{key} (in JIRA now: {live.get('status')})")
    demo.output.link("address", found.document.get("url"))
    ticket = demo.jira.ticket(key)
    demo.output.fact("title", ticket.get("summary"))
    description = str(ticket.get("description"))
    demo.output.check(
        f"{key} is in JIRA and names the request and the error",
        expected=(True, True),
        actual=(request.request in description, message in description),
    )


def abortion(demo: DemoRun) -> None:
    """Show a failed request ended for good, with the reason on record."""
    about = "JIRA refuses a field. dana no longer needs the namespace, and aborts the request."
    name = demo.unique_name("orders")
    sample = SampleRequest("container-eks-namespace", name, {"namespaceName": name})
    message = "Field 'priority' cannot be set. It is not on the appropriate screen, or unknown."
    with demo.output.step("A request is aborted", about):
        request = demo.submit_with_fault(sample, kind="status", status=400, message=message)
        _check_nothing_left(demo, request)
        reason = "Not needed any more"
        aborted = demo.decide(request, "abort", reason)
        reasons = [entry.get("reason") for entry in aborted.document.get("decisions") or ()]
        demo.output.check(
            "It is aborted, and the reason is on record",
            expected=("aborted", [reason]),
            actual=(_state(aborted), reasons),
        )
        again = demo.decide(request, "retry", "I have changed my mind")
        demo.output.check(
            "It can no longer change",
            expected=(CONFLICT, "INVALID_STATE_TRANSITION"),
            actual=(again.status, again.error.get("code")),
        )


def _check_nothing_left(demo: DemoRun, request: DemoResponse) -> None:
    looked = demo.look(request)
    demo.output.check(
        "JIRA has no ticket for it: there is nothing to clean up there",
        expected="absent",
        actual=looked.document.get("answer"),
    )
    left = [str(entry.get("instructions")) for entry in _context(request).get("cleanup") or ()]
    demo.output.check("There is nothing else to clean up by hand either", expected=[], actual=left)


def lost_response(demo: DemoRun) -> None:
    """Show that a ticket whose creation was not answered is adopted, not created twice."""
    about = (
        "The connection breaks after JIRA has created the ticket: PAO cannot know whether it did."
    )
    name = demo.unique_name("sessions")
    sample = SampleRequest("database-redis-cache", name, {"cacheName": name})
    with demo.output.step("The connection breaks, and no second ticket is created", about):
        request = demo.submit_with_fault(sample, kind="cut-after")
        demo.output.check(
            "PAO says that the outcome is unknown",
            expected=True,
            actual=request.action.get("outcomeUnknown"),
        )
        label = mark(request.request, str(request.action.get("id")))
        made = [ticket["key"] for ticket in demo.jira.tickets(label)]
        looked = demo.look(request)
        adopted = looked.document.get("wouldAdopt") or {}
        demo.output.check(
            "A look finds the ticket that JIRA had created",
            expected=("found", made),
            actual=(looked.document.get("answer"), [adopted.get("externalReference")]),
        )
        retried = demo.decide(request, "retry", "Adopt the ticket")
        demo.output.check(
            "The retry adopted the same ticket",
            expected=("completed", True, made),
            actual=(
                _state(retried),
                retried.action.get("adopted"),
                [retried.action.get("externalReference")],
            ),
        )
        demo.check_ticket(retried)


def refusals(demo: DemoRun) -> None:
    """Show two refusals: a request that is not allowed, and one with invalid fields."""
    about = "Two submissions are refused before anything is stored."
    with demo.output.step("Invalid and forbidden requests are refused", about):
        fields = {"repository": "orders", "person": "dana@example.com"}
        answer = demo.submit(SampleRequest("access-github-repository", "orders", fields))
        demo.output.check(
            "Only the allowed teams may request it",
            expected=(FORBIDDEN, "FORBIDDEN"),
            actual=(answer.status, answer.error.get("code")),
        )
        wrong = {"instanceName": "Orders!", "storageSize": "big", "engineVersion": "9"}
        answer = demo.submit(SampleRequest("database-postgresql-standard", "Orders!", wrong))
        details = answer.error.get("details") or ()
        for detail in details:
            demo.output.fact("detail", f"{detail.get('field')}: {detail.get('message')}")
        demo.output.check(
            "Every invalid field is named at once",
            expected=(INVALID, sorted(f"fields.{name}" for name in wrong)),
            actual=(answer.status, sorted({str(detail.get("field")) for detail in details})),
        )


STEPS: tuple[Step, ...] = (
    one_call,
    failure_and_retry,
    escalation,
    abortion,
    lost_response,
    refusals,
)


def submit_failing_request(demo: DemoRun) -> Document:
    """Leave a failed request for the person to decide; empty if it did not fail."""
    sample = _bucket(demo.unique_name("reports"))
    with demo.jira.inject_fault(sample.name, kind="status", status=503, message=RESTARTING):
        body = {"catalogItemId": sample.item, "fields": dict(sample.fields)}
        answer = demo.pao.wait_until_settled(demo.pao.post("/requests", body))
    return answer.document if _state(answer) == "failed" else {}


def _bucket(name: str) -> SampleRequest:
    return SampleRequest("storage-s3-bucket", name, {"bucketName": name, "dataClass": "internal"})


def _dns_record(name: str) -> SampleRequest:
    fields = {"hostName": f"{name}.example.com", "address": "10.20.30.40"}
    return SampleRequest("network-dns-record", name, fields)


def _state(answer: DemoResponse) -> str:
    """Return the request's state, or the error code of a refusal."""
    return str(answer.document.get("status") or answer.error.get("code"))


def _context(request: DemoResponse) -> Document:
    return dict(request.document.get("errorContext") or {})


def _suggested_decision(request: DemoResponse) -> object:
    return (_context(request).get("suggestedDecision") or {}).get("decision")


def _workflow(request: DemoResponse) -> object:
    return (request.document.get("links") or {}).get("workflow")
