"""What the fields of a form offer now: lists, teams and answers of HTTP interfaces, cached."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from cachetools import LRUCache

from api.catalog.service import CatalogService
from catalog.form_context import form_context
from catalog.forms import FieldError, FieldType, FormContext, OfferedChoices
from catalog.forms.evaluation_context import FieldQuery
from catalog.forms.local_options import (
    NO_RESOURCES,
    TOO_MANY,
    Lists,
    answers_by_path,
    bounded_queries,
    offer,
    offered_locally,
    query_key,
)
from catalog.forms.options import HttpOptions, ListOptions, WhenAway
from catalog.lists import CatalogList
from catalog.model import CatalogDocument
from catalog.option_calls import choices_question
from catalog.scopes import ScopeContext
from db.repositories.people import PeopleRepository
from db.session import Database
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError
from pao.core.durations import seconds_of
from pao.core.errors import ErrorCode, PaoError
from pao.core.field_paths import form_field
from pao.core.payloads.choices import ChoicesAnswer, ChoicesQuestion
from pao.core.payloads.context import Requester

# The worker gives up after five seconds; the rest is the way there and back.
ANSWER_SECONDS = 8.0
DEFAULT_CACHE = 60.0
# How long a page waits for choices; those that are late are loaded afterwards.
PATIENCE_SECONDS = 0.8
# How long a problem is shown in a form before the source is asked again.
PROBLEM_SECONDS = 3.0
MOST_ANSWERS = 500
_log = logging.getLogger(__name__)

Fetch = Callable[[ChoicesQuestion], Awaitable[ChoicesAnswer]]


@dataclass(slots=True)
class ChoicesCache:
    """Answers of HTTP interfaces, shared by all callers of this process; asked once at a time."""

    _answers: LRUCache[str, tuple[float, ChoicesAnswer]] = field(
        default_factory=lambda: LRUCache(MOST_ANSWERS)
    )
    _problems: LRUCache[str, tuple[float, ChoicesAnswer]] = field(
        default_factory=lambda: LRUCache(MOST_ANSWERS)
    )
    _running: dict[str, asyncio.Task[ChoicesAnswer]] = field(default_factory=dict)

    async def get(
        self, question: ChoicesQuestion, fetch: Fetch, seconds: float, *, hurried: bool = False
    ) -> ChoicesAnswer:
        """Return the answer to a question.

        A problem is cached for a few seconds, and for callers in a hurry only.
        """
        key = repr(question)
        for cache in (self._answers, self._problems) if hurried else (self._answers,):
            until, answer = cache.get(key, (0.0, None))
            if answer is not None and time.monotonic() < until:
                return answer
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(fetch(question))
            task.add_done_callback(lambda _: self._running.pop(key, None))
        # A caller who disconnects must not cancel the question for the others.
        answer = await asyncio.shield(task)
        if answer.problem is None:
            self._answers[key] = (time.monotonic() + seconds, answer)
        else:
            self._problems[key] = (time.monotonic() + PROBLEM_SECONDS, answer)
        return answer


@dataclass(frozen=True, slots=True)
class FormOffers:
    """What a form offers while it is filled in; ``awaited`` are fields without an answer yet."""

    context: FormContext
    awaited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionsService:
    """Looks up the choices of forms for the callers of this process."""

    catalog: CatalogService
    database: Database
    scope_context: ScopeContext
    workflows: RequestWorkflows
    cache: ChoicesCache = field(default_factory=ChoicesCache)

    def context_for(self, item: CatalogDocument, caller: Requester) -> FormContext:
        """Return the context in which the form of an item is evaluated for a caller now."""
        now = datetime.now(UTC)
        return form_context(item, caller, now, self.scope_context)

    async def with_answers(
        self,
        item: CatalogDocument,
        values: Mapping[str, Any],
        caller: Requester,
        *,
        only: frozenset[str] | None = None,
    ) -> FormContext:
        """Return the same with the answers that the values need; of ``only`` these fields."""
        context = self.context_for(item, caller)
        if not _has_dynamic_fields(item):
            return context
        today = datetime.now(UTC).date()
        found = await asyncio.to_thread(item.form.questions, values, today, context)
        questions = [
            one
            for one in found
            if one.value is not None and (only is None or form_field(one.path) in only)
        ]
        choosing = [one for one in questions if one.field.options is not None]
        naming = [one for one in questions if one.field.options is None]
        return replace(
            context,
            offered=await self._offers_by_field(item, choosing, caller, context),
            unknown=await self._unknown_values(naming, caller),
        )

    async def load_offers(
        self, item: CatalogDocument, values: Mapping[str, Any], caller: Requester
    ) -> FormOffers:
        """Return what the fields of a form offer now, filled in or not, within a moment.

        A source that does not answer at once is awaited: its fields are ``awaited``.
        """
        context = self.context_for(item, caller)
        if not _has_dynamic_fields(item):
            return FormOffers(context)
        today = datetime.now(UTC).date()
        found = await asyncio.to_thread(item.form.questions, values, today, context)
        choosing = [one for one in found if one.field.options is not None]
        naming = [one for one in found if one.field.options is None and one.value is not None]
        tasks = {
            key: asyncio.ensure_future(self.offered(item, one, caller, context, hurried=True))
            for key, one in bounded_queries(choosing).items()
        }
        if tasks:
            await asyncio.wait(tasks.values(), timeout=PATIENCE_SECONDS)
        answers = {key: one.result() for key, one in tasks.items() if one.done()}
        late = tasks.keys() - answers.keys()
        keyed = [(one, query_key(one)) for one in choosing]
        context = replace(
            context,
            offered={one.path: answers.get(key, TOO_MANY) for one, key in keyed if key not in late},
            unknown=await self._unknown_values(naming, caller),
        )
        return FormOffers(context, frozenset(one.path for one, key in keyed if key in late))

    async def _offers_by_field(
        self,
        item: CatalogDocument,
        questions: list[FieldQuery],
        caller: Requester,
        context: FormContext,
    ) -> dict[str, OfferedChoices]:
        """Return what each field offers; rows that ask the same are answered by one question."""
        distinct = bounded_queries(questions)
        answers = await asyncio.gather(
            *(self.offered(item, one, caller, context) for one in distinct.values())
        )
        return answers_by_path(questions, dict(zip(distinct, answers, strict=True)))

    async def offered(
        self,
        item: CatalogDocument,
        question: FieldQuery,
        caller: Requester,
        context: FormContext,
        *,
        hurried: bool = False,
    ) -> OfferedChoices:
        """Return what a field offers, or why nothing; ``hurried`` takes a cached problem."""
        options = question.field.options
        lists: Lists = {}
        if isinstance(options, HttpOptions):
            return await self._fetch_offer(item, question, options, caller, hurried=hurried)
        if isinstance(options, ListOptions):
            try:
                lists = {options.list: await self.rows(options.list)}
            except PaoError as error:
                return OfferedChoices(problem=error.message)
        found = await asyncio.to_thread(
            offered_locally, item.form, question, context, teams=caller.teams, lists=lists
        )
        return found or NO_RESOURCES

    async def rows(self, list_id: str) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a list in service; raises ``CATALOG_ITEM_NOT_FOUND``."""
        found = (await self.catalog.document(list_id)).loaded.item
        if not isinstance(found, CatalogList):
            message = f"There is no list {list_id!r}."
            raise PaoError(ErrorCode.CATALOG_ITEM_NOT_FOUND, message)
        return found.choices

    async def _fetch_offer(
        self,
        item: CatalogDocument,
        question: FieldQuery,
        options: HttpOptions,
        caller: Requester,
        *,
        hurried: bool,
    ) -> OfferedChoices:
        lenient = options.when_away is WhenAway.ALLOW
        who = caller if item.form.options_read_user(question) else None
        choices_query = choices_question(item, question, who, datetime.now(UTC))
        seconds = seconds_of(options.cache) if options.cache is not None else DEFAULT_CACHE
        try:
            answer = await self.cache.get(
                choices_query,
                partial(self.workflows.fetch_choices, budget=ANSWER_SECONDS),
                seconds or 0.0,
                hurried=hurried,
            )
        except TemporalUnavailableError:
            return OfferedChoices(problem="Temporal does not respond.", lenient=lenient)
        if answer.problem is not None:
            text = "the options of %s in %s cannot be loaded: %s"
            _log.warning(text, question.path, item.id, answer.problem)
        return replace(offer(answer.choices), problem=answer.problem, lenient=lenient)

    async def _unknown_values(
        self, questions: list[FieldQuery], caller: Requester
    ) -> frozenset[str]:
        """Return the paths of fields whose user or team is unknown."""
        own = {*caller.teams, caller.id, caller.email}
        unchecked = [
            one for one in questions if isinstance(one.value, str) and one.value not in own
        ]
        if not unchecked:
            return frozenset()
        teams = {str(one.value) for one in unchecked if one.field.type is FieldType.TEAM}
        users = {str(one.value) for one in unchecked if one.field.type is FieldType.USER}
        async with self.database.reading() as session:
            people = PeopleRepository(session)
            known = await people.known_teams(teams) | await people.known_users(users)
        known |= self.catalog.state.index.owners
        return frozenset(one.path for one in unchecked if one.value not in known)

    async def require(
        self,
        item: CatalogDocument,
        values: Mapping[str, Any],
        caller: Requester,
        *,
        only: frozenset[str] | None = None,
    ) -> tuple[FieldError, ...]:
        """Return an error for each value that is not offered, or is an unknown user or team."""
        context = await self.with_answers(item, values, caller, only=only)
        if not context.offered and not context.unknown:
            return ()
        today = datetime.now(UTC).date()
        result = await asyncio.to_thread(item.form.validate, values, today, context)
        fields = context.offered.keys() | context.unknown
        return tuple(one for one in result.errors if one.field in fields)

    async def field_options(
        self, item: CatalogDocument, field: str, values: Mapping[str, Any], caller: Requester
    ) -> OfferedChoices:
        """Return what one field offers with these values of the others.

        Raises ``CATALOG_ITEM_NOT_FOUND`` for a field without options.
        """
        outer, _, inner = field.partition(".")
        if item.form.depends_on(field) is None:
            raise PaoError(
                ErrorCode.CATALOG_ITEM_NOT_FOUND,
                f"{item.name} has no field {field[:100]!r} with options; "
                "GET /catalog/items/{id}/schema shows its form.",
            )
        wanted = f"{outer}[0].{inner}" if inner else outer
        context, today = self.context_for(item, caller), datetime.now(UTC).date()
        found = await asyncio.to_thread(item.form.questions, values, today, context)
        question = next((one for one in found if one.path == wanted), None)
        if question is None:
            return OfferedChoices(problem="The field does not apply with these values.")
        return await self.offered(item, question, caller, context)


def _has_dynamic_fields(item: CatalogDocument) -> bool:
    """Return whether a form has fields whose choices have to be looked up."""
    people_types = (FieldType.USER, FieldType.TEAM)
    fields = (one for outer in item.fields for one in (outer, *outer.fields))
    return any(one.options is not None or one.type in people_types for one in fields)
