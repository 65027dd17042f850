"""Shared code of the actions on JIRA tickets: error translation, and a ticket's parts.

Parts (attachments, links) are added after the ticket, each only if it is missing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from activities.action_errors import ActionError, ActionFailedError, OutcomeUnknownError
from activities.base import ActionContext
from pao.clients.jira import JiraClient, JiraError, JiraOutcomeUnknownError, TicketParts
from pao.core.payloads.failures import PartialResource


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file to attach; it exists when the ticket has one of its name and size."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class LinkPart:
    """A link to create; it exists when one of its type joins both tickets."""

    key: str
    type: str


@dataclass(frozen=True, slots=True)
class WantedParts:
    """The parts that one ticket is to have."""

    key: str
    url: str
    files: tuple[FilePart, ...]
    links: tuple[LinkPart, ...]

    @property
    def none(self) -> bool:
        """Return whether the ticket is to have no parts."""
        return not self.files and not self.links


async def complete(
    client: JiraClient, wanted: WantedParts, context: ActionContext, *, fresh: bool = False
) -> None:
    """Create the missing parts; a new ticket (``fresh``) has none.

    If this fails, the ticket exists; the error says so and lists it.
    """
    if wanted.none:
        return
    try:
        known = (
            TicketParts()
            if fresh
            else await client.get_parts(
                wanted.key, context.request.correlation_id, deadline=context.deadline
            )
        )
        await _attach(client, wanted, context, known)
        await _link(client, wanted, context, known)
    except JiraError as error:
        raise _incomplete_error(wanted, error) from error


def corrected_names(wanted: Sequence[FilePart], former: Sequence[FilePart]) -> dict[str, str]:
    """Return new names for files whose content has changed.

    Nobody can tell two attachments of one name apart, and JIRA reports only name and size, so a
    former file would pass for the new one.
    """
    before = {one.name: one.content for one in former}
    return {
        one.name: f"corrected-{hashlib.sha256(one.content).hexdigest()[:8]}-{one.name}"
        for one in wanted
        if before.get(one.name, one.content) != one.content
    }


def raise_action_error(error: JiraError) -> NoReturn:
    """Raise JIRA's error as the error of an action that has left nothing behind."""
    raise action_error(error) from error


def action_error(error: JiraError) -> ActionError:
    """Return JIRA's error as the error of an action."""
    return _error_type(error)(
        error.message, http_status=error.status, response_body=error.body, judged=error.judged
    )


def partial_ticket(key: str, url: str) -> PartialResource:
    """Return the ticket of an action that failed after creating it."""
    return PartialResource(type="jira-ticket", id=key, url=url, cleanup=cleanup(key, url))


def cleanup(key: str | None, url: str | None) -> str:
    """Return what to do with the ticket when the request is abandoned."""
    return (
        f"Close JIRA ticket {key} as won't do ({url}), and undo by hand what was done for it "
        "already."
    )


async def _attach(
    client: JiraClient, wanted: WantedParts, context: ActionContext, known: TicketParts
) -> None:
    for file in wanted.files:
        if (file.name, len(file.content)) in known.attachments:
            continue
        await client.attach(
            wanted.key,
            (file.name, file.content, file.media_type),
            correlation_id=context.request.correlation_id,
            deadline=context.deadline,
        )


async def _link(
    client: JiraClient, wanted: WantedParts, context: ActionContext, known: TicketParts
) -> None:
    for link in wanted.links:
        if (link.type.casefold(), link.key) in known.links:
            continue
        await client.link_issues(
            wanted.key,
            link.key,
            link_type=link.type,
            correlation_id=context.request.correlation_id,
            deadline=context.deadline,
        )


def _incomplete_error(wanted: WantedParts, error: JiraError) -> ActionError:
    return _error_type(error)(
        f"Ticket {wanted.key} was created, but not all of its attachments and links: "
        f"{error.message} A retry continues with the same ticket and adds what is missing.",
        http_status=error.status,
        response_body=error.body,
        judged=error.judged,
        partial=(partial_ticket(wanted.key, wanted.url),),
    )


def _error_type(error: JiraError) -> type[ActionError]:
    return OutcomeUnknownError if isinstance(error, JiraOutcomeUnknownError) else ActionFailedError
