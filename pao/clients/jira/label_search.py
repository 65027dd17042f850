"""Finds a ticket by its label, with a search that may lag behind."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pao.clients.jira.answers import read_object
from pao.clients.jira.create_fields import Ask
from pao.clients.jira.dialects import quote_jql
from pao.clients.jira.jira_errors import JiraTooEarlyError, JiraUnreachableError
from pao.clients.jira.models import CreatedIssue, Deadline, JiraInstance

KEY = re.compile(r"[A-Z][A-Z0-9_]*-[0-9]+")
LOOK_AGAIN = 1.0
_LIMIT = 20


@dataclass(frozen=True, slots=True)
class LabelSearch:
    """The search for the tickets of an instance, or one project, that have a label."""

    instance: JiraInstance
    label: str
    project: str | None = None

    async def run(self, ask: Ask, *, settles_in: float, deadline: Deadline) -> CreatedIssue | None:
        """Search until a ticket is found or an empty answer is certain.

        Raises JiraTooEarlyError after half of the time until the deadline; the other half is for
        what follows the answer.
        """
        give_up = Deadline.after(deadline.remaining() / 2)
        certain = Deadline.after(settles_in)
        while True:
            is_certain = not certain.remaining()
            found = await self._oldest(ask)
            if found is not None or is_certain:
                return found
            if not give_up.remaining():
                raise self._too_early(certain.remaining())
            await asyncio.sleep(min(LOOK_AGAIN, certain.remaining(), give_up.remaining()))

    async def _oldest(self, ask: Ask) -> CreatedIssue | None:
        answer = await ask(
            "search for the ticket", lambda jira: jira.search(self._jql(), limit=_LIMIT)
        )
        issues = read_object(answer).get("issues")
        if not isinstance(issues, list):
            raise JiraUnreachableError(
                f"{self.instance.title} answered a search without a list of issues.",
                instance=self.instance.name,
                status=answer.status,
                body=answer.text(),
            )
        found = [issue for one in issues if (issue := read_issue(self.instance, one)) is not None]
        return min(found, key=lambda issue: int(issue.id), default=None)

    def _jql(self) -> str:
        clauses = [f"labels = {quote_jql(self.label)}"]
        if self.project:
            clauses.append(f"project = {quote_jql(self.project)}")
        return f"{' AND '.join(clauses)} ORDER BY created ASC"

    def _too_early(self, seconds: float) -> JiraTooEarlyError:
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        return JiraTooEarlyError(
            f"{self.instance.title} shows no ticket with the label {self.label}, but its "
            f"search may lag {self.instance.index_lag:.0f} s. Nothing was created; the result is "
            f"certain from {moment:%H:%M:%S} UTC on: retry then.",
            instance=self.instance.name,
        )


def read_issue(instance: JiraInstance, document: Any) -> CreatedIssue | None:
    """Return the ticket in JIRA's answer; None if it is not a ticket."""
    if not isinstance(document, Mapping):
        return None
    key, number = document.get("key"), str(document.get("id", ""))
    if not isinstance(key, str) or not KEY.fullmatch(key) or not number.isdecimal():
        return None
    return CreatedIssue(key=key, id=number, url=instance.browse_url(key))
