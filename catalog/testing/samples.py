"""A made-up request: who, when, which fields and which outputs an item is tried with."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from catalog.form_context import form_context
from catalog.forms import FormContext, FormResult, Offered
from catalog.forms.definition import Choice
from catalog.forms.options import ListOptions, TeamOptions
from catalog.forms.situation import Question
from catalog.model import CatalogDocument
from catalog.planning import snapshot_of
from catalog.scopes import ScopeContext
from catalog.secrets import with_stars
from catalog.titles import title_of
from pao.core.payloads.context import RequestContext, Requester
from pao.core.timestamps import timestamp

REQUEST_ID = "00000000-0000-4000-8000-000000000000"
MOMENT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""A Monday; the same in every dry run, so that results do not change from day to day."""


def _person() -> Requester:
    return Requester(id="dana", email="dana@example.com", teams=["team-orders"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a request would bring; ``outputs`` are those of earlier actions, by action id.

    ``options`` are the values that fields offer whose choices come from elsewhere; of a field in a
    list by ``rules.cluster``. ``lists`` are the rows of the catalog's lists, as far as known.
    ``environment`` holds variables of the environment that templates read.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    requester: Requester = field(default_factory=_person)
    at: datetime = MOMENT
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    lists: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day that relative dates count from."""
        return self.at.astimezone(UTC).date()


def validated(item: CatalogDocument, sample: Sample, scope_context: ScopeContext) -> FormResult:
    """Judge the sample's fields as its requester would submit them."""
    about = form_context(item, sample.requester, sample.at, scope_context)
    questions = item.form.questions(sample.fields, sample.today, about)
    offered = {one.way: _offered(item, one, sample, about) for one in questions}
    known = {way: answer for way, answer in offered.items() if answer is not None}
    return item.form.validate(sample.fields, sample.today, replace(about, offered=known))


def _offered(
    item: CatalogDocument, question: Question, sample: Sample, about: FormContext
) -> Offered | None:
    """Return what a field offers as far as that is known without asking anybody."""
    options = question.field.options
    values = sample.options.get(re.sub(r"\[[0-9]+\]", "", question.way))
    if values is None and isinstance(options, TeamOptions):
        values = sample.requester.teams
    elif values is None and isinstance(options, ListOptions) and options.list in sample.lists:
        rows = item.form.offered_rows(question, sample.lists[options.list], about)
        values = [row["value"] for row in rows]
    if values is None:
        return None
    return Offered(tuple(Choice(value=value, label=str(value)) for value in values))


def context_of(
    item: CatalogDocument, definition: dict[str, Any], values: Mapping[str, Any], sample: Sample
) -> tuple[RequestContext, dict[str, str]]:
    """Return the context of the made-up request, passwords apart from it."""
    context = RequestContext(
        request_id=REQUEST_ID,
        correlation_id=REQUEST_ID,
        submitted_at=timestamp(sample.at),
        item=snapshot_of(item, definition, None),
        requester=sample.requester,
        fields=with_stars(values, item.passwords),
    )
    context.title = title_of(item, context)
    found = item.passwords.found(values)
    return context, {way: str(value) for way, value in found.items()}
