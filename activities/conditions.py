"""Whether an action runs at all: its ``when``, evaluated where secrets may be opened."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import activity

from catalog.planning import condition_holds
from catalog.scopes import ScopeContext
from catalog.secrets import open_fields
from catalog.templating import TemplateError
from pao.core import names
from pao.core.payloads.actions import ActionInput, ConditionAnswer
from pao.runtime.crypto import SecretBox, SecretUnreadableError
from pao.runtime.masking import hide_secrets

LONGEST_SHOWN = 200


class Conditions:
    """Evaluates conditions; pure, so it may be asked any number of times."""

    def __init__(self, box: SecretBox, surroundings: ScopeContext) -> None:
        self._box = box
        self._surroundings = surroundings

    def activities(self) -> list[Callable[..., Any]]:
        """Return the activity that answers whether a condition holds."""

        @activity.defn(name=names.CONDITION_ACTIVITY)
        async def condition(given: ActionInput) -> ConditionAnswer:
            # A document's expression may take a while: the other actions of the worker go on.
            return await asyncio.to_thread(self.ask, given)

        return [condition]

    def ask(self, given: ActionInput) -> ConditionAnswer:
        """Return whether the action runs; what cannot be evaluated fails it, with the reason."""
        secrets: dict[str, str] = {}
        try:
            secrets = open_fields(self._box, given.context)
            holds = condition_holds(given, self._surroundings, secrets=secrets)
        except (TemplateError, SecretUnreadableError) as error:
            reason = hide_secrets(f"Its condition cannot be evaluated: {error}", secrets.values())
            return ConditionAnswer(holds=False, failed=True, reason=reason)
        shown = (given.action.when or "")[:LONGEST_SHOWN]
        return ConditionAnswer(holds=holds, reason=None if holds else f"when {shown}: not true")
