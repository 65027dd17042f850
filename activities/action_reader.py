"""Asks a target as an action would, without acting: for choices of a form and files of a commit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from activities.action_errors import ActionError
from activities.base import Action
from activities.call_origin import acting_for
from activities.heartbeats import heartbeats
from activities.session import ActionSession, masked_reason, unforeseen_as_action_errors
from activities.session_factory import UNNAMED, SessionFactory, Tools
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.choices import ChoicesAnswer
from pao.core.payloads.files import FilesAnswer

SECONDS = 5.0

AnswerT = TypeVar("AnswerT", ChoicesAnswer, FilesAnswer)


class ActionReader:
    """Reads with the credentials, egress rules, breakers and masks of an action."""

    def __init__(self, action: Action[Any], tools: Tools) -> None:
        self._action = action
        self._sessions = SessionFactory(tools)

    async def ask(
        self,
        given: ActionInput,
        read: Callable[[ActionSession], Awaitable[AnswerT]],
        *,
        failed: Callable[[str], AnswerT],
        called: str = UNNAMED,
    ) -> AnswerT:
        """Return what ``read`` finds, or what ``failed`` makes of the reason; never raises.

        ``called`` is the name of the call for people, if it is not an action's. The answer is
        masked: Temporal keeps it, and the person who fills in the form reads it.
        """
        disclosure = self._sessions.disclosure(given)
        with acting_for(given.context.item.id, given.action.config, self._action.breaker_keys):
            async with heartbeats(repeatable=True):
                try:
                    with unforeseen_as_action_errors(disclosure):
                        session = await self._sessions.open(
                            self._action, given, disclosure, seconds=SECONDS, called=called
                        )
                        answer = await read(session)
                except ActionError as error:
                    answer = failed(await masked_reason(error, disclosure))
                return await asyncio.to_thread(disclosure.mask_answer, answer)
