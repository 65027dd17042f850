"""What a review shows: the answers, and what submitting them would do, as people read it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.requests.schemas import DryRun
from api.web.pages.request_form.filled_form import FilledForm
from api.web.shown_values import shown_value
from api.web.words import _, ngettext
from catalog.forms.definition import FieldType
from catalog.forms.values import equal
from catalog.forms.writing import WRITE_ONLY

_TICKET = "jira-ticket"


@dataclass(frozen=True, slots=True)
class ReviewedField:
    """A field with its value in words, and where it is changed.

    ``before`` is what an earlier request held that this one repeats; None where that is the same.
    """

    label: str
    text: str
    change: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewSection:
    """The answers of a group."""

    label: str
    answers: list[ReviewedField]


def answers_of(filled: FilledForm, earlier: Mapping[str, Any] | None = None) -> list[ReviewSection]:
    """Return every field that applies, by group, in the form's order.

    ``earlier`` are the values of the request that this one repeats.
    """
    visible, values = set(filled.result.visible), filled.result.values
    sections, index = [], 0
    for number, group in enumerate(filled.form.definition.groups):
        answers = []
        for one in group.fields:
            if one.id in visible:
                secret = one.type is FieldType.PASSWORD and values.get(one.id) is not None
                offered = filled.entered.offered.get(one.id)
                text = (
                    _("Entered")
                    if secret
                    else shown_value(one, values.get(one.id), offered.choices if offered else None)
                )
                place = f"/drafts/{filled.draft.id}/{number}#f{index}"
                before = None
                if earlier is not None and one.type not in WRITE_ONLY:
                    before = shown_value(one, earlier.get(one.id))
                    before = before if not equal(earlier.get(one.id), values.get(one.id)) else None
                answers.append(ReviewedField(one.label, text, place, before))
            index += 1
        if answers:
            sections.append(ReviewSection(group.label, answers))
    return sections


def sentence_of(run: DryRun) -> str:
    """Return in a sentence what submitting does: 2 tickets in 2 projects, then a workflow run."""
    every = [
        *run.actions,
        *(one for component in run.components or () for one in component.actions),
    ]
    actions = [one for one in every if not one.fallback and one.runs is not False]
    tickets = [one for one in actions if one.type == _TICKET]
    projects = {str((one.config.get("ticket") or {}).get("project")) for one in tickets}
    parts = []
    if tickets:
        count = ngettext("%(n)s ticket", "%(n)s tickets", len(tickets)) % {"n": len(tickets)}
        where = ngettext("%(n)s project", "%(n)s projects", len(projects)) % {"n": len(projects)}
        parts.append(_("%(count)s in %(where)s") % {"count": count, "where": where})
    others = Counter(one.type for one in actions if one.type != _TICKET)
    parts += [_kind(kind, count) for kind, count in others.items()]
    return _join(parts)


def _kind(kind: str, count: int) -> str:
    words = {
        "rest-api": ngettext("%(n)s call", "%(n)s calls", count),
        "webhook": ngettext("%(n)s webhook", "%(n)s webhooks", count),
        "terraform": ngettext("%(n)s Terraform run", "%(n)s Terraform runs", count),
        "github-workflow": ngettext("%(n)s workflow run", "%(n)s workflow runs", count),
        "git-commit": ngettext("%(n)s commit", "%(n)s commits", count),
        "ticket-links": ngettext("%(n)s set of links", "%(n)s sets of links", count),
        "approval": ngettext("%(n)s approval", "%(n)s approvals", count),
    }
    return words.get(kind, _("%(n)s of the kind %(kind)s")) % {"n": count, "kind": kind}


def _join(parts: list[str]) -> str:
    if len(parts) < 2:  # noqa: PLR2004 -- nothing to join
        return "".join(parts)
    return _("%(first)s, and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}
