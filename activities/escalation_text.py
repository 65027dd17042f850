"""The text of an escalation ticket: everything a person needs, from the failure context."""

import json
from typing import Any

from catalog.templating import jira_escape
from pao.clients.jira.limits import TEXT_LIMIT, cut_wiki
from pao.core import names
from pao.core.documents import from_document, list_from_documents
from pao.core.payloads.actions import ActionState
from pao.core.payloads.error_context import CleanupStep, ExistingResource
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.tickets import EscalationInput
from pao.core.resources import STATUSES_WITH_EFFECT, is_unknown

FILE = "escalation.txt"
SHORT = 5_000
"""Characters of a description for a JIRA that takes less than others."""
# The length of each part, so that one long part leaves room for the others.
_PART = 7_000
_NOTE = f"(Truncated: this text is too long for JIRA. The attached {FILE} has all of it.)"
_PART_NOTE = f"(truncated; see the attached {FILE})"


def fit_text(
    escalation_input: EscalationInput, *, most: int = TEXT_LIMIT, pages: str | None = None
) -> str:
    """Return the text for the ticket, with parts that are too long truncated."""
    whole = full_text(escalation_input, pages=pages)
    parts = _parts(escalation_input, pages)
    cut = "\n\n".join(cut_wiki(part, _PART_NOTE, _PART) for part in parts)
    fits = cut_wiki(whole, _NOTE, most)
    return whole if fits == whole else cut_wiki(f"{_NOTE}\n\n{cut}", _PART_NOTE, most)


def full_text(escalation_input: EscalationInput, *, pages: str | None = None) -> str:
    """Write the ticket's whole text in wiki markup; values are escaped, secrets are masked.

    ``pages`` is the address of the pages, for a link to the request.
    """
    return "\n\n".join(_parts(escalation_input, pages))


def _parts(escalation_input: EscalationInput, pages: str | None) -> list[str]:
    return [
        _request_part(escalation_input, pages),
        *([_components_part(escalation_input.components)] if escalation_input.components else []),
        _actions_part(escalation_input),
        _error_part(escalation_input),
        _cleanup_part(
            list_from_documents(CleanupStep, escalation_input.error_context.get("cleanup"))
        ),
        _data_part(_data(escalation_input)),
    ]


def _request_part(escalation_input: EscalationInput, pages: str | None) -> str:
    context = escalation_input.context
    rows = {
        "Request": context.request_id,
        "Title": context.title or context.item.name,
        "Item": f"{context.item.name} ({context.item.id} {context.item.version})",
        "Requester": context.requester.email or context.requester.id,
        "Submitted": context.submitted_at,
        "Correlation id": context.correlation_id,
        "Workflow": names.workflow_id(context.request_id),
        "Escalated by": escalation_input.by,
        "Reason": escalation_input.reason or "(none given)",
    }
    lines = [f"||{title}|{jira_escape(value)}|" for title, value in rows.items()]
    if pages is not None:
        lines.append(f"||Page|[{pages}/requests/{context.request_id}]|")
    return "\n".join(["h2. Request", *lines])


def _actions_part(escalation_input: EscalationInput) -> str:
    rows = [
        f"|{jira_escape(state.name)}|{state.status}|{state.attempt}|{_resources_of(state)}|"
        for state in escalation_input.actions
    ]
    return "\n".join(["h2. Actions", "||Action||Status||Attempts||Resource||", *rows])


def _resources_of(state: ActionState) -> str:
    """Return what an action has created, including what failed attempts have left."""
    left = (*state.partial, *state.left_behind)
    found = [_resource(one.type, one.id, one.url) for one in left]
    if (state.status in STATUSES_WITH_EFFECT or not found) and (
        state.external_reference or state.url
    ):
        found.insert(0, _resource("address", state.external_reference, state.url))
    if is_unknown(state):
        found.append("not known")
    return ", ".join(found) or "none"


def _components_part(components: list[dict[str, Any]]) -> str:
    lines = ["h2. Components", "||Component||Item||Status||Request||Resources||"]
    for one in components:
        resources = list_from_documents(ExistingResource, one.get("resources"))
        made = [_resource(each.type, each.id, each.url) for each in resources]
        cells = [str(one.get(key) or "") for key in ("name", "item", "status", "requestId")]
        row = "|".join(jira_escape(cell) for cell in cells)
        lines.append(f"|{row}|{', '.join(made) or 'none'}|")
    return "\n".join(lines)


def _resource(kind: str, id_: str | None, url: str | None) -> str:
    name = jira_escape(id_ or kind)
    return f"[{name}|{url}]" if url else name


def _data(escalation_input: EscalationInput) -> dict[str, Any]:
    """Return the data block; a bundle's also has its failure and each component's resources."""
    request = escalation_input.error_context.get("request") or {}
    if not escalation_input.components:
        return request
    return {
        "bundle": {**request, "requestId": escalation_input.context.request_id},
        "failure": {
            "error": escalation_input.error_context.get("error"),
            "components": escalation_input.error_context.get("failedComponents"),
        },
        "components": {one["id"]: one for one in escalation_input.components},
    }


def _error_part(escalation_input: EscalationInput) -> str:
    nothing = {"code": None, "message": ""}
    failure = from_document(ActionFailure, escalation_input.error_context.get("error") or nothing)
    unknown = "yes: look before anything is made again" if failure.outcome_unknown else "no"
    return "\n".join(
        [
            "h2. Error",
            f"*Code:* {failure.code}",
            f"*HTTP status:* {failure.http_status or 'none'}",
            f"*Outcome unknown:* {unknown}",
            jira_escape(failure.message),
        ]
    )


def _cleanup_part(steps: list[CleanupStep]) -> str:
    lines = [f"* {jira_escape(str(step.instructions))}" for step in steps]
    return "\n".join(["h2. Cleanup required", *(lines or ["Nothing was created."])])


def _data_part(request: dict[str, Any]) -> str:
    text = json.dumps(request, indent=2, ensure_ascii=False).replace("{code", "\\u007bcode")
    return f"h2. Original request\n{{code:json}}\n{text}\n{{code}}"
