"""Checks the corrected fields of a retry, no matter who sent the signal."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from temporalio import activity

from catalog.configuration_checks import ActionModels, check_configurations
from catalog.corrections import LONGEST_MESSAGE, MOST_ERRORS, correct
from catalog.document_kinds import parse_definition
from catalog.secrets import open_fields
from catalog.used_fields import used_by
from pao.core import names
from pao.core.payloads.context import RequestContext
from pao.core.payloads.decisions import Correction, CorrectionAnswer
from pao.runtime.crypto import SecretBox, SecretUnreadableError


@dataclass(frozen=True, slots=True)
class Corrector:
    """Checks corrected fields by the form of the item as it was at submission.

    What the form accepts is then validated by the models of the actions that the retry would run.
    """

    box: SecretBox
    models: ActionModels

    @activity.defn(name=names.CHECK_CORRECTION_ACTIVITY)
    async def check_correction(self, correction: Correction) -> CorrectionAnswer:
        """Check corrected fields in a thread: a form's rules may take a while."""
        return await asyncio.to_thread(self.check, correction)

    def check(self, correction: Correction) -> CorrectionAnswer:
        """Return the corrected fields, or why they are invalid."""
        try:
            answer, _ = correct(
                correction.context,
                correction.changes,
                self.box,
                datetime.now(UTC).date(),
                self.models.scope_context,
            )
        except SecretUnreadableError as error:
            return CorrectionAnswer(valid=False, message=str(error))
        if not answer.valid:
            return answer
        if refusal := self._configuration_problems(
            correction, replace(correction.context, fields=answer.fields)
        ):
            return CorrectionAnswer(valid=False, message=refusal)
        return replace(answer, used=used_by(correction.context, correction.over, answer.diff))

    def _configuration_problems(
        self, correction: Correction, context: RequestContext
    ) -> str | None:
        """Return which fields make an action's configuration invalid, if any do."""
        found = check_configurations(
            parse_definition(context.item.definition),
            correction.plan,
            context,
            self.models,
            secrets=open_fields(self.box, context),
            only=frozenset(correction.retried),
        )
        blamed = [f"{one.field}: {one.message}" for one in found if one.field is not None]
        return "; ".join(blamed[:MOST_ERRORS])[:LONGEST_MESSAGE] or None
