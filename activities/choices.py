"""Fetches the choices of a form's field from an HTTP interface; reads only, within bounds."""

import asyncio
from typing import Any

from temporalio import activity

from activities.action_errors import ActionError, ActionFailedError
from activities.actions.rest import bodies
from activities.actions.rest.sending import Sender
from activities.base import Action
from activities.call_origin import acting_for
from activities.disclosure import Disclosure
from activities.heartbeats import heartbeats
from activities.outgoing import TargetResponse
from activities.session import Session
from activities.session_factory import SessionFactory, Tools
from catalog import json_paths
from catalog.forms.options import MOST_OPTIONS, as_choices
from pao.core.judgement import UNREADABLE
from pao.core.names import CHOICES_ACTIVITY
from pao.core.payloads.choices import ChoicesAnswer, ChoicesQuestion

MOST_BYTES = 256_000
SECONDS = 5.0


class ChoicesFetcher:
    """Asks as a rest-api action would: its credentials, egress rules, breakers and masks."""

    def __init__(self, action: Action[Any], tools: Tools) -> None:
        self._action = action
        self._sessions = SessionFactory(tools)
        self._sender = Sender()

    @activity.defn(name=CHOICES_ACTIVITY)
    async def fetch(self, question: ChoicesQuestion) -> ChoicesAnswer:
        """Return the choices, or why there are none; never raises for what the target answers."""
        call = question.call
        disclosure = self._sessions.disclosure(call)
        with acting_for(call.context.item.id, call.action.config, self._action.breaker_keys):
            async with heartbeats(repeatable=True):
                try:
                    return await self._fetched(question, disclosure)
                except ActionError as error:
                    return ChoicesAnswer(problem=disclosure.message(error.message))

    async def _fetched(self, question: ChoicesQuestion, disclosure: Disclosure) -> ChoicesAnswer:
        session = await self._sessions.open(
            self._action, question.call, disclosure, seconds=SECONDS
        )
        document = await self._read(session)
        rows = await asyncio.to_thread(_rows, question, document)
        hide = disclosure.secrets.hide
        for row in rows:
            row.update({key: hide(one) for key, one in row.items() if isinstance(one, str)})
        return ChoicesAnswer(choices=rows)

    async def _read(self, session: Session) -> Any:
        config, context = session.config, session.context
        url = bodies.address(config.endpoint.url, config.query)
        answer = await self._sender.read(config, context, url, max_body=MOST_BYTES)
        if not answer.is_success:
            raise answer.failure(f"It answered {answer.status}.", reading=True)
        if answer.truncated:
            raise _unreadable(answer, f"It answered with more than {MOST_BYTES // 1000} kB.")
        try:
            return answer.json()
        except ValueError:
            raise _unreadable(answer, "It did not answer with JSON.") from None


def _rows(question: ChoicesQuestion, document: Any) -> list[dict[str, Any]]:
    try:
        with json_paths.bounded():
            entries = json_paths.every(question.select, document, most=MOST_OPTIONS + 1)
            if len(entries) > MOST_OPTIONS:
                told = f"It offers more than {MOST_OPTIONS:,} options; narrow them by the address."
                raise ActionFailedError(told, judged=UNREADABLE)
            rows = [_row(question, entry) for entry in entries]
    except json_paths.PathError as error:
        told = f"The answer cannot be read by the field's JSONPaths: it {error}."
        raise ActionFailedError(told, judged=UNREADABLE) from error
    return as_choices(rows)


def _row(question: ChoicesQuestion, entry: Any) -> dict[str, Any]:
    value = json_paths.first(question.value, entry)
    label = json_paths.first(question.label, entry) if question.label else value
    return {
        "value": None if value is json_paths.MISSING else value,
        "label": value if label is json_paths.MISSING else label,
    }


def _unreadable(answer: TargetResponse, message: str) -> ActionFailedError:
    return ActionFailedError(message, http_status=answer.status, judged=UNREADABLE)
