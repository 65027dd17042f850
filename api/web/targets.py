"""What people call the targets of actions, and what an action makes there. Pure words."""

from api.web.words import _

_NAMES = {
    "jira-ticket": _("JIRA"),
    "ticket-links": _("JIRA"),
    "github-workflow": _("GitHub"),
    "git-commit": _("the Git server"),
    "terraform": _("Terraform"),
    "notification": _("the mail server"),
    "approval": _("the approvers"),
}
_MADE = {
    "jira-ticket": _("a ticket"),
    "github-workflow": _("a workflow run"),
    "git-commit": _("a commit"),
    "rest-api": _("a new call"),
    "webhook": _("a new call"),
    "notification": _("a message"),
}


def name_of(action_type: str) -> str:
    """Return the name of the target for use in a sentence."""
    return _NAMES.get(action_type, _("the target"))


def made_by(action_type: str) -> str:
    """Return what an action of this type makes, with its article."""
    return _MADE.get(action_type, _("what is missing"))


def capital(text: str) -> str:
    """Return a text with a capital letter first, as sentences begin."""
    return text[:1].upper() + text[1:]
