"""Fetches the choices of a form's field from an HTTP interface; reads only, within bounds."""

import asyncio
from typing import Any

from temporalio import activity

from activities.action_errors import ActionFailedError
from activities.action_reader import ActionReader
from activities.actions.rest import bodies
from activities.actions.rest.sending import Sender
from activities.base import Action
from activities.session import ActionSession
from activities.session_factory import Tools
from catalog import json_paths
from catalog.forms.options import MOST_OPTIONS, as_choices
from pao.core.failure_classes import UNREADABLE
from pao.core.names import CHOICES_ACTIVITY
from pao.core.payloads.choices import ChoicesAnswer, ChoicesQuestion

MOST_BYTES = 256_000


class ChoicesFetcher:
    """Reads choices with the configuration of a rest-api action."""

    def __init__(self, action: Action[Any], tools: Tools) -> None:
        self._reader = ActionReader(action, tools)
        self._sender = Sender()

    @activity.defn(name=CHOICES_ACTIVITY)
    async def fetch(self, question: ChoicesQuestion) -> ChoicesAnswer:
        """Return the choices, or why there are none; no answer of the target raises."""

        async def read(session: ActionSession) -> ChoicesAnswer:
            document = await self._read(session)
            return ChoicesAnswer(await asyncio.to_thread(_rows, question, document))

        return await self._reader.ask(
            question.call,
            read,
            failed=lambda why: ChoicesAnswer(problem=why),
            called=question.call.action.name,
        )

    async def _read(self, session: ActionSession) -> Any:
        config, context = session.config, session.context
        url = bodies.build_url(config.endpoint.url, config.query)
        answer = await self._sender.read(config, context, url, max_body=MOST_BYTES)
        if not answer.is_success:
            raise answer.failure(f"It answered {answer.status}.", reading=True)
        if answer.truncated:
            raise answer.unreadable(f"It answered with more than {MOST_BYTES // 1000} kB.")
        try:
            return answer.json()
        except ValueError:
            raise answer.unreadable("It did not answer with JSON.") from None


def _rows(question: ChoicesQuestion, document: Any) -> list[dict[str, Any]]:
    try:
        with json_paths.shared_budget():
            entries = json_paths.every(question.select, document, most=MOST_OPTIONS + 1)
            if len(entries) > MOST_OPTIONS:
                message = (
                    f"It offers more than {MOST_OPTIONS:,} options; narrow them by the address."
                )
                raise ActionFailedError(message, judged=UNREADABLE)
            rows = [_row(question, entry) for entry in entries]
    except json_paths.PathError as error:
        message = f"The answer cannot be read by the field's JSONPaths: it {error}."
        raise ActionFailedError(message, judged=UNREADABLE) from error
    return as_choices(rows)


def _row(question: ChoicesQuestion, entry: Any) -> dict[str, Any]:
    value = json_paths.first(question.value, entry)
    label = json_paths.first(question.label, entry) if question.label else value
    return {
        "value": None if value is json_paths.MISSING else value,
        "label": value if label is json_paths.MISSING else label,
    }
