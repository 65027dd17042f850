"""Evaluates an action's ``when`` on the worker, where secrets may be decrypted."""

import asyncio
from dataclasses import dataclass

from temporalio import activity

from catalog.action_rendering import condition_holds
from catalog.scopes import ScopeContext
from catalog.secrets import open_fields
from catalog.templating import TemplateError
from pao.core import names
from pao.core.payloads.actions import ActionInput, ConditionAnswer
from pao.runtime.crypto import SecretBox, SecretUnreadableError
from pao.runtime.masking import hide_secrets

LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Conditions:
    """Evaluates conditions; pure, so it may be asked any number of times."""

    box: SecretBox
    scope_context: ScopeContext

    @activity.defn(name=names.CONDITION_ACTIVITY)
    async def condition(self, action_input: ActionInput) -> ConditionAnswer:
        """Evaluate a condition in a thread: a document's expression may take a while."""
        return await asyncio.to_thread(self.ask, action_input)

    def ask(self, action_input: ActionInput) -> ConditionAnswer:
        """Return whether the action runs; an invalid condition fails it, with the reason."""
        secrets: dict[str, str] = {}
        try:
            secrets = open_fields(self.box, action_input.context)
            holds = condition_holds(action_input, self.scope_context, secrets=secrets)
        except (TemplateError, SecretUnreadableError) as error:
            reason = hide_secrets(f"Its condition cannot be evaluated: {error}", secrets.values())
            return ConditionAnswer(holds=False, failed=True, reason=reason)
        shown = (action_input.action.when or "")[:LONGEST_SHOWN]
        return ConditionAnswer(holds=holds, reason=None if holds else f"when {shown}: not true")
