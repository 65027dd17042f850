"""A bundle's own record: the states of its components, and the bundle's state that follows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import workflow

from pao.core.components import COMPONENT, ComponentReport, ComponentView, component_action
from pao.core.documents import from_document, to_document
from pao.core.errors import ErrorCode
from pao.core.names import workflow_id
from pao.core.payloads.actions import ActionResult, ActionState
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import RequestInput
from pao.core.sentences import as_sentence
from pao.core.states import TERMINAL, ActionStatus, Decision, RequestStatus
from workflows.bundle_details import bundle_details
from workflows.failures import combined_failure, error_context, suggest
from workflows.ledger import Ledger

ENDED = frozenset({RequestStatus.ABORTED, RequestStatus.ESCALATED})


class BundleLedger(Ledger):
    """Keeps the state of a bundle; each component counts as one of its actions.

    An aborted or escalated component counts as failed: it can never be completed.
    """

    def __init__(
        self, request_input: RequestInput, *, now: Callable[[], datetime] = workflow.now
    ) -> None:
        super().__init__(request_input, now=now)
        self.reports: dict[str, ComponentReport] = {}
        self.planned = {one.key: one for one in request_input.plan if one.type == COMPONENT}

    @property
    def components(self) -> list[ActionState]:
        """The states of the components."""
        return [state for state in self.states if state.type == COMPONENT]

    @property
    def own(self) -> list[ActionState]:
        """The states of the bundle's own actions."""
        return [state for state in self.states if state.type != COMPONENT]

    def request_of(self, state: ActionState) -> str:
        """Return the id of a component's own request."""
        return str(self.action(state).config["requestId"])

    def action(self, state: ActionState) -> PlannedAction:
        """Return the planned action of a component."""
        return self.planned[key_of(state)]

    def is_terminal(self, state: ActionState) -> bool:
        """Return whether a component's request has ended."""
        report = self.reports.get(key_of(state))
        return report is not None and report.status in TERMINAL

    def has_failed_component(self) -> bool:
        """Return whether a component has failed, been aborted or been escalated."""
        return any(state.status == ActionStatus.FAILED for state in self.components)

    def record_report(self, report: ComponentReport) -> bool:
        """Record a component's state; return False if it is outdated or not of this bundle."""
        previous = self.reports.get(report.component)
        planned = self.planned.get(report.component)
        if planned is None or planned.config["requestId"] != report.request_id:
            return False
        if previous is not None and (
            previous.position >= report.position or previous.status in TERMINAL
        ):
            return False
        self.reports[report.component] = report
        state = next(one for one in self.components if one.id == planned.id)
        self._apply_report(state, report)
        self.context.components = self._component_views()
        return True

    def _apply_report(self, state: ActionState, report: ComponentReport) -> None:
        if report.status == RequestStatus.COMPLETED:
            # The bundle may hear of a short retry only after it has ended.
            state.error = None
            self.succeed(state, ActionResult(outputs=report.outputs))
        elif report.status in ENDED or (
            report.status == RequestStatus.FAILED and not report.retrying
        ):
            self.fail(state, _failure(state, report))
        elif state.status != ActionStatus.IN_PROGRESS:
            self.begin(state)

    def _component_views(self) -> dict[str, Any]:
        """Return what templates see as ``components``."""
        return {
            key: to_document(ComponentView(key, str(report.status), report.outputs, report.tickets))
            for key, report in self.reports.items()
        }

    def update_failure(self) -> None:
        """Recompute the failure from the components that are failed now."""
        self.failure = combined_failure(self.states) or self.failure

    def record_retry(self) -> None:
        """Show the bundle as being retried while one of its components is."""
        self.retrying = True
        self._state_entry()

    def details(self) -> str:
        """Describe the state of the bundle for an operator, and which signals can be sent where."""
        requests = {state.id: workflow_id(self.request_of(state)) for state in self.components}
        return bundle_details(self, requests)

    def error_context(self) -> dict[str, Any]:
        """Return the failure context: that of the bundle's own actions, and of every component."""
        if self.failure is None:
            return {}
        context = error_context(self.context, self.own, self.failure)
        for part, name in (
            ("failedActions", "failed_actions"),
            ("partialResources", "resources"),
            ("cleanup", "cleanup"),
        ):
            of_components = [
                {**one, "component": key, "requestId": report.request_id}
                for key, report in self.reports.items()
                for one in getattr(report, name)
            ]
            context[part] = of_components + context[part]
        context["failedComponents"] = self._failed_components()
        if context["failedComponents"]:
            context["suggestedDecision"] = self._suggestion()
        return context

    def _failed_components(self) -> list[dict[str, Any]]:
        return [
            {
                "component": key_of(state),
                "requestId": self.request_of(state),
                "status": str(self.reports[key_of(state)].status),
                "message": state.error.message if state.error else None,
            }
            for state in self.components
            if state.status == ActionStatus.FAILED and key_of(state) in self.reports
        ]

    def _suggestion(self) -> dict[str, Any]:
        """Suggest what to do next: about a component, while one can be fixed."""
        for state in self.components:
            if state.status != ActionStatus.FAILED or state.error is None:
                continue
            if not self.is_terminal(state):
                decision, why = suggest(state.error)
                where = f"Decide about the component {state.name} on its own request, "
                return {
                    "decision": decision,
                    "reason": f"{where}{self.request_of(state)}: {why}",
                    "requestId": self.request_of(state),
                }
        reason = "A component ended without completing, so the bundle cannot complete."
        return {"decision": Decision.ESCALATE, "reason": reason}


def key_of(state: ActionState) -> str:
    """Return the id of the component that an action stands for."""
    return state.id.removeprefix(component_action(""))


def _failure(state: ActionState, report: ComponentReport) -> ActionFailure:
    nothing = {"code": ErrorCode.ACTION_FAILED, "message": "no reason is known"}
    failure = from_document(ActionFailure, nothing | (report.error or {}))
    message = f"Component {state.name} failed: {failure.message}"
    if report.status in ENDED:
        message = f"{as_sentence(message)} It was {report.status}, so it can never complete."
    # The component's own request is the authority: earlier reports are dropped.
    return replace(
        failure,
        message=message,
        retryable=report.status not in ENDED and failure.retryable,
        answered=True,
        whole=True,
    )
