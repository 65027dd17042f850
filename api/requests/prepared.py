"""A submission before it is stored: the call, and what was prepared from it. No rules."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.auth.principal import Principal
from catalog.configuration_checks import ConfigReader, ConfigValidator
from catalog.planning import ActionTraits
from catalog.scopes import ScopeContext
from catalog.templating import Escaping
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.names import MAX_FIELDS_JSON, MAX_PLAN_JSON
from pao.core.payloads.context import RequestContext, Requester
from pao.core.payloads.plan import PlannedAction


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSettings:
    """The budget bounds the caller's wait only, never the request; seconds.

    ``longest_wait`` is what a caller may ask for instead, by ``Prefer: wait``; ``traits``,
    ``targets``, ``validators`` and ``readers`` are those of the known action types.
    """

    budget: float
    scope_context: ScopeContext
    targets: Mapping[str, Mapping[str, Escaping]]
    validators: Mapping[str, ConfigValidator] = field(default_factory=dict)
    readers: Mapping[str, ConfigReader] = field(default_factory=dict)
    traits: Mapping[str, ActionTraits] = field(default_factory=dict)
    longest_wait: float = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionCall:
    """What came with a submission besides its body; ``wait`` is the caller's wish in seconds."""

    caller: Principal
    correlation_id: str
    raw_body: bytes
    idempotency_key: str | None = None
    wait: float | None = None
    started: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class PreparedSubmission:
    """A submission that passed every check; nothing is stored yet.

    One that is ``slow`` by nature is not waited for unless the caller says so. ``sent`` names
    the fields that came with it, ``computed`` those that the form computed instead, ``warnings`` is
    what rules of the form say.
    """

    context: RequestContext
    actions: list[PlannedAction]
    secrets: dict[str, str]
    slow: bool = False
    components: tuple["PreparedComponent", ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    sent: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreparedComponent:
    """A component of a bundle: a submission of its own, stored and begun with the bundle.

    ``waiting`` names the fields whose values depend on components that must run before.
    """

    id: str
    name: str
    prepared: PreparedSubmission
    depends_on: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def requester_of(caller: Principal) -> Requester:
    """Return a caller as a request keeps them."""
    return Requester(id=caller.id, email=caller.email, teams=list(caller.teams))


def size_of(prepared: PreparedSubmission) -> int:
    """Return the bytes of JSON that plan and form take."""
    plan = [[action.config, action.reads] for action in prepared.actions if action.notice is None]
    return len(json.dumps([plan, prepared.context.without_plan().item.definition]))


def require_carriable(prepared: PreparedSubmission) -> None:
    """Refuse what Temporal would not carry: plan and form are one payload with the fields."""
    size = size_of(prepared)
    if size > MAX_PLAN_JSON:
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"{prepared.context.item.name} is too large to be requested: its form and actions are "
            f"{size:,} bytes of JSON; the limit is {MAX_PLAN_JSON:,}. Tell its owner.",
        )


def require_small(values: dict[str, Any]) -> None:
    """Refuse what Temporal would not carry: the fields travel several times in one payload.

    Measured as they travel, with every character beyond ASCII escaped.
    """
    size = len(json.dumps(values))
    if size <= MAX_FIELDS_JSON:
        return
    message = (
        f"the fields are {size:,} bytes of JSON (a non-ASCII character takes six or twelve); "
        f"the limit is {MAX_FIELDS_JSON:,}"
    )
    raise PaoError(
        ErrorCode.VALIDATION_ERROR,
        f"Send less: {message}.",
        details=(Detail(field="fields", constraint="size", message=message),),
    )
