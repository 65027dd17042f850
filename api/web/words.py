"""The words of the pages. Every text that a person reads passes `_`: it can be translated."""

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
"""A state is never told by its colour alone."""
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
    "input": _("Wrong values"),
    "target-down": _("Target down"),
    "conflict": _("Conflict"),
    "ours": _("Our fault"),
    "declined": _("Declined"),
    "unknown": _("Unknown"),
}


def after_state(summary: str) -> str:
    """Return a request's summary as a sentence, without the state that stands beside it."""
    _state, _colon, rest = summary.partition(": ")
    return f"{rest[:1].upper()}{rest[1:]}." if rest else ""
