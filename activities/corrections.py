"""Checking the corrected fields of a retry, whoever sent the signal."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from temporalio import activity

from catalog.corrections import correct
from catalog.used_fields import used_by
from pao.core import names
from pao.core.payloads.decisions import Correction, CorrectionAnswer
from pao.runtime.crypto import SecretBox, SecretUnreadableError


@dataclass(frozen=True, slots=True)
class Corrector:
    """Judges corrected fields by the form of the item as it was when the request was submitted."""

    box: SecretBox

    @activity.defn(name=names.CHECK_CORRECTION_ACTIVITY)
    async def check_correction(self, correction: Correction) -> CorrectionAnswer:
        """Check corrected fields in a thread: a form's rules may take a while."""
        return await asyncio.to_thread(self.check, correction)

    def check(self, correction: Correction) -> CorrectionAnswer:
        """Return the corrected fields, or why they are invalid."""
        try:
            answer, _ = correct(
                correction.context, correction.changes, self.box, datetime.now(UTC).date()
            )
        except SecretUnreadableError as error:
            return CorrectionAnswer(valid=False, message=str(error))
        if answer.valid:
            used = used_by(correction.context, correction.over, answer.diff)
            return replace(answer, used=used)
        return answer
