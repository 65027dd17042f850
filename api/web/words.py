"""The words of the pages. Every text that a person reads passes `_`: it can be translated."""

import re
from collections.abc import Mapping
from gettext import NullTranslations

TRANSLATIONS = NullTranslations()
"""English is what is written in the code; another language is another catalog here."""

_ = TRANSLATIONS.gettext
ngettext = TRANSLATIONS.ngettext

STATES = {
    "submitted": _("Submitted"),
    "in_progress": _("In progress"),
    "completed": _("Completed"),
    "failed": _("Failed"),
    "aborted": _("Aborted"),
    "escalated": _("Escalated"),
    "pending": _("Not started"),
    "skipped": _("Skipped"),
    "waiting": _("Waiting"),
}
SHAPES = {
    "submitted": "○",
    "in_progress": "●",
    "completed": "✓",
    "failed": "✕",
    "aborted": "■",
    "escalated": "↑",
    "pending": "○",
    "skipped": "-",
    "waiting": "◔",
}
"""A state is never shown by its color alone."""
KINDS = {
    "jira-ticket": _("Ticket"),
    "rest-api": _("Call"),
    "webhook": _("Webhook"),
    "terraform": _("Terraform"),
    "github-workflow": _("Workflow run"),
    "git-commit": _("Commit"),
    "approval": _("Approval"),
    "notification": _("Message"),
    "ticket-links": _("Links between tickets"),
}
"""Action types as people call them."""
CAUSES = {
    "access": _("No access"),
    "quota": _("Quota"),
    "input": _("Invalid values"),
    "target-down": _("Target down"),
    "conflict": _("Conflict"),
    "ours": _("PAO configuration"),
    "declined": _("Declined"),
    "unknown": _("Unknown"),
}

_FIELD = re.compile(r"\bfields\.([A-Za-z]\w*)")
DEADLINES = {
    "reject": _("then it is rejected"),
    "approve": _("then it is approved"),
    "remind": _("then people are reminded"),
}
DECISIONS = {
    "retry": _("%(who)s retried"),
    "abort": _("%(who)s aborted"),
    "escalate": _("%(who)s escalated"),
    "cancel": _("%(who)s cancelled"),
    "approve": _("%(who)s approved"),
    "reject": _("%(who)s rejected"),
}


def condition_in_words(condition: str, labels: Mapping[str, str]) -> str:
    """Return an expression of an item with the names of its fields: "Storage" > 100."""
    return _FIELD.sub(
        lambda found: f'"{labels[found[1]]}"' if found[1] in labels else found[0], condition
    )


def heading(text: str) -> str:
    """Return a word of the catalog, such as a category, with a capital letter, for headings."""
    return f"{text[:1].upper()}{text[1:]}"


def did(decision: str, who: str) -> str:
    """Return who made a decision, and which: "Priya retried"."""
    return DECISIONS.get(decision, _("%(who)s decided")) % {"who": heading(who)}


def after_state(summary: str) -> str:
    """Return a request's summary as a sentence, without the state that is shown beside it."""
    _state, _colon, rest = summary.partition(": ")
    return f"{rest[:1].upper()}{rest[1:]}." if rest else ""
