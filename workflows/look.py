"""Short read-only workflows: looks, checks of evidence, choices of a field, files of a commit."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.payloads.actions import ActionInput, LookResult
from pao.core.payloads.choices import ChoicesAnswer, ChoicesQuestion
from pao.core.payloads.decisions import EvidenceAnswer, EvidenceInput
from pao.core.payloads.files import FilesAnswer
from workflows import policies
from workflows.failures import classify

AnswerT = TypeVar("AnswerT", LookResult, EvidenceAnswer, ChoicesAnswer, FilesAnswer)


async def _ask(
    activity: str,
    question: ActionInput | EvidenceInput | ChoicesQuestion,
    answer: type[AnswerT],
    *,
    failed: Callable[[str], AnswerT],
    summary: str,
) -> AnswerT:
    """Return the activity's answer, or that of ``failed`` for the reason why there is none."""
    try:
        result: AnswerT = await workflow.execute_activity(
            activity,
            question,
            result_type=answer,
            summary=summary,
            start_to_close_timeout=timedelta(seconds=12),
            schedule_to_close_timeout=timedelta(seconds=20),
            retry_policy=policies.NO_RETRY,
        )
    except FailureError as error:
        return failed(classify(error).message)
    return result


@workflow.defn(name=names.LOOK_WORKFLOW)
class LookWorkflow:
    """A short separate workflow, so that the request's history does not grow."""

    @workflow.run
    async def run(self, action_input: ActionInput) -> LookResult:
        """Return ``found``, ``absent``, or ``unknown`` with the reason; never fails."""
        return await _ask(
            names.LOOK_ACTIVITY,
            action_input,
            LookResult,
            failed=lambda why: LookResult(answer="unknown", reason=why),
            summary=f"look for {action_input.action.name}",
        )


@workflow.defn(name=names.EVIDENCE_WORKFLOW)
class EvidenceWorkflow:
    """Checks a person's evidence as a decision would, without deciding."""

    @workflow.run
    async def run(self, evidence: EvidenceInput) -> EvidenceAnswer:
        """Return the result that the action would continue with, or the problem; never fails."""
        return await _ask(
            names.EVIDENCE_ACTIVITY,
            evidence,
            EvidenceAnswer,
            failed=lambda why: EvidenceAnswer(message=f"it could not be checked: {why}"),
            summary=f"check the evidence about {evidence.about.action.name}",
        )


@workflow.defn(name=names.CHOICES_WORKFLOW)
class ChoicesWorkflow:
    """Fetches the choices of a form's field."""

    @workflow.run
    async def run(self, question: ChoicesQuestion) -> ChoicesAnswer:
        """Return the choices, or why there are none; never fails."""
        return await _ask(
            names.CHOICES_ACTIVITY,
            question,
            ChoicesAnswer,
            failed=lambda why: ChoicesAnswer(problem=why),
            summary=f"fetch {question.call.action.name}",
        )


@workflow.defn(name=names.FILES_WORKFLOW)
class FilesWorkflow:
    """Reads the files that a commit would change."""

    @workflow.run
    async def run(self, action_input: ActionInput) -> FilesAnswer:
        """Return their contents, or why these are not known; never fails."""
        return await _ask(
            names.FILES_ACTIVITY,
            action_input,
            FilesAnswer,
            failed=lambda why: FilesAnswer(problem=why),
            summary=f"read what {action_input.action.name} would change",
        )
