"""Preparing a submission: authorise, validate, plan, check templates. Nothing is stored here."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from api.access import Access
from api.auth.principal import Principal
from api.catalog.service import CatalogService, Entry
from api.requests.lifecycle import require_offered
from api.requests.schemas import Submission
from catalog.bundle import CatalogBundle
from catalog.planning import ActionTraits, check_plan, plan, render_action, snapshot_of
from catalog.scopes import Surroundings
from catalog.secrets import open_fields, seal_fields
from catalog.templating import Target, TemplateError
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.names import MAX_FIELDS_JSON, MAX_PLAN_JSON
from pao.core.payloads import (
    PlannedAction,
    RequestContext,
    Requester,
    timestamp,
)
from pao.crypto import SecretBox

_WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})(?!\d)')


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSettings:
    """The budget bounds the caller's wait only, never the request; seconds.

    ``longest_wait`` is what a caller may ask for instead, by ``Prefer: wait``; ``traits`` and
    ``targets`` are those of the known action types.
    """

    budget: float
    surroundings: Surroundings
    targets: Mapping[str, Mapping[str, Target]]
    traits: Mapping[str, ActionTraits] = field(default_factory=dict)
    longest_wait: float = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What came with a submission beside its body; ``wait`` is what the caller prefers, seconds."""

    caller: Principal
    correlation_id: str
    raw_body: bytes
    idempotency_key: str | None = None
    wait: float | None = None
    started: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission that passed every check; nothing is stored yet.

    One that is ``slow`` by nature is not waited for unless the caller says so.
    """

    context: RequestContext
    actions: list[PlannedAction]
    secrets: dict[str, str]
    slow: bool = False


class Preparer:
    """Judges submissions and plans them."""

    def __init__(
        self,
        *,
        access: Access,
        box: SecretBox,
        catalog: CatalogService,
        settings: SubmissionSettings,
    ) -> None:
        self._access = access
        self._box = box
        self._catalog = catalog
        self._settings = settings

    async def prepare(self, body: Submission, call: Call) -> Prepared:
        """Check everything that a submission is checked for, and plan it."""
        entry = await self._catalog.entry(body.catalog_item_id)
        # In a thread: templates may take a second, and other callers must not wait for them.
        return await asyncio.to_thread(self._prepare, entry, body, call)

    def _prepare(self, entry: Entry, body: Submission, call: Call) -> Prepared:
        self._authorise(entry, call.caller)
        _require_item(entry)
        require_offered(entry.loaded.item, datetime.now(UTC).date())
        values = self._validated(entry, body.fields)
        prepared = self._planned(entry, values, body, call)
        _require_carriable(prepared)
        self._check_templates(entry, prepared)
        return prepared

    def render(self, prepared: Prepared) -> list[dict[str, Any]]:
        """Render every action as it would be sent, secrets masked.

        An action that needs outputs of an earlier one is shown with its templates.
        """
        return [
            self._rendered(prepared, action) for action in prepared.actions if action.notice is None
        ]

    def _authorise(self, entry: Entry, caller: Principal) -> None:
        item = entry.loaded.item
        if not self._access.may_request(caller, item):
            allowed = ", ".join(sorted(item.allowed_teams))
            raise PaoError(
                ErrorCode.FORBIDDEN,
                f"{item.name} may be requested by: {allowed}. Ask one of these teams.",
            )

    def _validated(self, entry: Entry, fields: dict[str, Any]) -> dict[str, Any]:
        result = entry.loaded.item.form.validate(fields, datetime.now(UTC).date())
        if result.valid:
            _require_small(result.values)
            return result.values
        details = tuple(
            Detail(
                field=f"fields.{error.field}",
                constraint=error.constraint,
                message=error.message,
                received=error.received,
                expected=error.expected,
            )
            for error in result.errors
        )
        count = len(details)
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"{count} {'field is' if count == 1 else 'fields are'} not right; "
            "see details, mend them and submit again.",
            details=details,
        )

    def _planned(
        self, entry: Entry, values: dict[str, Any], body: Submission, call: Call
    ) -> Prepared:
        loaded, caller = entry.loaded, call.caller
        request_id = str(uuid4())
        passwords = loaded.item.password_fields
        context = RequestContext(
            request_id=request_id,
            correlation_id=call.correlation_id,
            submitted_at=timestamp(datetime.now(UTC)),
            item=snapshot_of(loaded.item, loaded.definition, loaded.sha),
            requester=Requester(id=caller.id, email=caller.email, teams=list(caller.teams)),
            fields=seal_fields(self._box, request_id, values, passwords),
            metadata=body.metadata.model_dump(by_alias=True, exclude_none=True),
        )
        traits = self._settings.traits
        actions = plan(loaded.item, traits)
        secrets = open_fields(self._box, context)
        return Prepared(context, actions, secrets, slow=any(_is_slow(a, traits) for a in actions))

    def _check_templates(self, entry: Entry, prepared: Prepared) -> None:
        """Check every template before anything runs, so that no action fails by its own text."""
        settings = self._settings
        problems = check_plan(
            entry.loaded.item, prepared.actions, settings.surroundings, settings.targets
        )
        problems = problems or self._try_first(prepared)
        if problems:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The item's templates cannot be filled with these values; tell its owner, "
                f"{entry.loaded.item.owner_team or 'the platform team'}.",
                details=tuple(
                    Detail(field="catalogItemId", constraint="template", message=problem)
                    for problem in problems
                ),
            )

    def _try_first(self, prepared: Prepared) -> list[str]:
        """Render what needs nothing of other actions and runs for certain."""
        problems = []
        for action in prepared.actions:
            if action.depends_on or action.when or not action.is_step:
                continue
            try:
                self._render(prepared, action)
            except TemplateError as error:
                problems.append(f"action {action.id}: {error}")
        return problems

    def _rendered(self, prepared: Prepared, action: PlannedAction) -> dict[str, Any]:
        try:
            config, complete = self._render(prepared, action), True
        except TemplateError:
            config, complete = action.config, False
        return {
            "id": action.id,
            "index": action.index,
            "type": action.type,
            "name": action.name,
            "config": config,
            "complete": complete,
            "dependsOn": action.depends_on or [],
            "when": action.when,
            "timeout": action.timeout,
            "slow": action.slow,
            "fallback": action.fallback,
        }

    def _render(self, prepared: Prepared, action: PlannedAction) -> dict[str, Any]:
        return render_action(
            action,
            prepared.context,
            self._settings.surroundings,
            targets=self._settings.targets.get(action.type, {}),
            secrets=prepared.secrets,
            outputs={},
            reveal=False,
        )


def preferred_wait(header: str | None) -> float | None:
    """Read the seconds of ``Prefer: wait=N`` (RFC 7240); what cannot be read is no preference."""
    match = _WAIT.search(header or "")
    return float(match[1]) if match else None


def _is_slow(action: PlannedAction, traits: Mapping[str, ActionTraits]) -> bool:
    """Tell whether an action takes longer than anybody waits for an answer."""
    if not action.is_step:
        return False
    of_type = traits.get(action.type, ActionTraits())
    return action.slow or of_type.waits or action.config.get("waitFor") == "resolved"


def _require_item(entry: Entry) -> None:
    if isinstance(entry.loaded.item, CatalogBundle):
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"{entry.loaded.item.name} is a bundle, and bundles cannot be requested yet; "
            "request its items one by one.",
        )


def _require_carriable(prepared: Prepared) -> None:
    """Refuse what Temporal would not carry: plan and form are one payload with the fields."""
    plan = [[action.config, action.reads] for action in prepared.actions if action.notice is None]
    size = len(json.dumps([plan, prepared.context.without_plan().item.definition]))
    if size > MAX_PLAN_JSON:
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"{prepared.context.item.name} is too large to be requested: form and actions are "
            f"{size:,} bytes of JSON, at most {MAX_PLAN_JSON:,} are taken. Tell its owner.",
        )


def _require_small(values: dict[str, Any]) -> None:
    """Refuse what Temporal would not carry: the fields travel several times in one payload.

    Measured as they travel, with every character beyond ASCII escaped.
    """
    size = len(json.dumps(values))
    if size <= MAX_FIELDS_JSON:
        return
    message = (
        f"the fields are {size:,} bytes of JSON (characters beyond ASCII take six or twelve); "
        f"at most {MAX_FIELDS_JSON:,} are taken"
    )
    raise PaoError(
        ErrorCode.VALIDATION_ERROR,
        f"Send less: {message}.",
        details=(Detail(field="fields", constraint="size", message=message),),
    )
