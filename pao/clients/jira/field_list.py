"""A cache of one JIRA's list of fields: their ids differ between instances."""

import time
from collections.abc import Mapping
from typing import Any

from pao.clients.jira.answers import read_list
from pao.clients.jira.create_fields import Ask
from pao.clients.jira.parts import epic_field
from pao.clients.jira.texts import custom_texts, text_lines, textareas

_KEPT_SECONDS = 600.0


class FieldList:
    """The fields of one instance, read at most every ten minutes."""

    def __init__(self) -> None:
        self._fetched_at = 0.0
        self._fields: list[Any] = []

    async def epic(self, ask: Ask) -> str | None:
        """Return the field that Data Center keeps a ticket's epic in, if there is one."""
        return epic_field(await self._all(ask))

    async def textareas(self, ask: Ask, given: Mapping[str, Any]) -> frozenset[str]:
        """Return the custom fields for long texts, where a text is given to any custom field."""
        return textareas(await self._all(ask)) if custom_texts(given) else frozenset()

    async def text_lines(self, ask: Ask) -> frozenset[str]:
        """Return the custom fields that hold a single line of text."""
        return text_lines(await self._all(ask))

    async def _all(self, ask: Ask) -> list[Any]:
        if not self._fields or time.monotonic() > self._fetched_at + _KEPT_SECONDS:
            answer = await ask("list its fields", lambda jira: jira.fields())
            self._fields, self._fetched_at = read_list(answer), time.monotonic()
        return self._fields
