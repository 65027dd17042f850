"""Short read-only workflows about a failed action: does its effect exist, does evidence hold."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from pao.core import names
    from pao.core.payloads.actions import ActionInput, LookResult
    from pao.core.payloads.decisions import EvidenceAnswer, EvidenceInput
    from workflows import policies
    from workflows.failures import classify


@workflow.defn(name=names.LOOK_WORKFLOW)
class LookWorkflow:
    """A short separate workflow, so that the request's history does not grow."""

    @workflow.run
    async def run(self, action_input: ActionInput) -> LookResult:
        """Return ``found``, ``absent``, or ``unknown`` with the reason; never fails."""
        try:
            result: LookResult = await workflow.execute_activity(
                names.LOOK_ACTIVITY,
                action_input,
                result_type=LookResult,
                summary=f"look for {action_input.action.name}",
                start_to_close_timeout=timedelta(seconds=12),
                schedule_to_close_timeout=timedelta(seconds=20),
                retry_policy=policies.NEVER_AGAIN,
            )
        except FailureError as error:
            return LookResult(answer="unknown", reason=classify(error).message)
        return result


@workflow.defn(name=names.EVIDENCE_WORKFLOW)
class EvidenceWorkflow:
    """Checks a person's evidence as a decision would, without deciding."""

    @workflow.run
    async def run(self, evidence: EvidenceInput) -> EvidenceAnswer:
        """Return the result that the action would go on with, or the problem; never fails."""
        try:
            answer: EvidenceAnswer = await workflow.execute_activity(
                names.EVIDENCE_ACTIVITY,
                evidence,
                result_type=EvidenceAnswer,
                summary=f"check the evidence about {evidence.about.action.name}",
                start_to_close_timeout=timedelta(seconds=12),
                schedule_to_close_timeout=timedelta(seconds=20),
                retry_policy=policies.NEVER_AGAIN,
            )
        except FailureError as error:
            return EvidenceAnswer(message=f"it could not be checked: {classify(error).message}")
        return answer
