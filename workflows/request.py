"""RequestWorkflow: carries out a stored plan and waits for people when an action fails.

Deterministic code only, one file per concern: what Temporal sees in handlers.py, the
parts of a request in lifecycle.py, running the plan in plan_runner.py, what people decide in
decisions.py, signals in signal_handlers.py, the mirror in mirror.py, every timeout in policies.py.
"""

from temporalio import workflow

from pao.core import names
from pao.core.payloads.requests import RequestInput, RequestOutcome
from pao.core.states import TERMINAL
from workflows.handlers import RequestHandlers
from workflows.ledger import Ledger
from workflows.lifecycle import RequestLifecycle
from workflows.mirror import Mirror
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop


@workflow.defn(name=names.REQUEST_WORKFLOW)
class RequestWorkflow(RequestHandlers):
    """One submitted request, from its first action to its end."""

    @workflow.init
    def __init__(self, request_input: RequestInput) -> None:
        ledger = Ledger(request_input)
        open_decisions = OpenDecisions(ledger)
        mirror, stop = Mirror(ledger, open_decisions, request_input), Stop(ledger, open_decisions)
        super().__init__(
            RequestLifecycle(
                request_input, ledger, open_decisions=open_decisions, mirror=mirror, stop=stop
            )
        )

    @workflow.run
    async def run(self, request_input: RequestInput) -> RequestOutcome:  # noqa: ARG002 -- __init__ has it
        """Carry out the plan until the request has reached a final state."""
        return await self._lifecycle.run(self._carry_out)

    async def _carry_out(self) -> None:
        request = self._lifecycle
        waiting = await request.resume()
        while waiting or not await request.runner.run():
            waiting = False
            await request.decider.wait_until_decided()
            if request.ledger.status in TERMINAL:
                return
