"""Checking the corrected fields of a retry, whoever sent the signal."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from catalog.corrections import correct
from catalog.used_fields import used_by
from pao.core import names
from pao.core.payloads.decisions import Correction, CorrectionAnswer
from pao.runtime.crypto import SecretBox, SecretUnreadableError


class Corrector:
    """Judges corrected fields by the form of the item as it was when the request was submitted."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def activities(self) -> list[Callable[..., Any]]:
        """Return the check of corrected fields."""

        @activity.defn(name=names.CHECK_CORRECTION_ACTIVITY)
        async def check_correction(given: Correction) -> CorrectionAnswer:
            # A form's rules may take a while: the other actions of the worker go on.
            return await asyncio.to_thread(self.check, given)

        return [check_correction]

    def check(self, given: Correction) -> CorrectionAnswer:
        """Return the fields to go on with, or why the corrected ones do not hold."""
        try:
            answer, _ = correct(given.context, given.changes, self._box, datetime.now(UTC).date())
        except SecretUnreadableError as error:
            return CorrectionAnswer(valid=False, message=str(error))
        if answer.valid:
            used = used_by(given.context, given.over, answer.diff)
            return replace(answer, used=used)
        return answer
