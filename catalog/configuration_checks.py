"""Checks a planned action's configuration by its type's own model, before anything runs.

Pure. What cannot be known yet (outputs of earlier actions, secrets) is left open and not checked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.action_rendering import RUNTIME_SCOPES, bind, escaping_chooser
from catalog.model import CatalogDocument
from catalog.planning import earlier_actions
from catalog.scopes import ScopeContext, names_for
from catalog.templating import (
    PLACES,
    Escaping,
    Names,
    TemplateError,
    check,
    check_when,
    evaluate_when,
    render,
)
from pao.core.field_paths import form_field
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction

Place = tuple[str | int, ...]

_INVALID_VALUE = "template-value"
_HARMLESS = "x"
_FIELDS = frozenset({("fields",), ("request",), ("request", "data")})


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """What a model says about one place of a rendered configuration.

    ``missing`` is set where the configuration itself lacks a key, whatever the fields are.
    """

    place: Place
    message: str
    missing: bool = False


ConfigValidator = Callable[[Mapping[str, Any]], tuple[ConfigProblem, ...]]
"""Validates a rendered configuration; an empty answer means that it is valid."""


ConfigReader = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Returns a rendered configuration without what its action leaves out of it."""


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """A field whose value makes a configuration invalid; ``field`` is None where none is to blame.

    ``constraint`` is ``required`` where a value is missing, else ``configuration``.
    """

    field: str | None
    constraint: str
    message: str
    received: Any = None


@dataclass(frozen=True, slots=True)
class ActionModels:
    """The models and targets of the installed action types, and the scopes of templates."""

    scope_context: ScopeContext
    validators: Mapping[str, ConfigValidator]
    targets: Mapping[str, Mapping[str, Escaping]]


@dataclass(frozen=True, slots=True)
class _Text:
    place: Place
    fields: tuple[str, ...]
    is_open: bool


def check_configurations(  # noqa: PLR0913 -- what a plan is checked by, each part named.
    item: CatalogDocument,
    actions: list[PlannedAction],
    context: RequestContext,
    models: ActionModels,
    *,
    secrets: Mapping[str, str],
    unknown: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> list[ValueProblem]:
    """Return what the models of the actions refuse; each field is named once per action and place.

    ``secrets`` are the values of password fields, which are checked only where they would lead a
    URL elsewhere: what a model says may repeat a value. ``unknown`` are the fields without a value
    yet; ``only`` are the ids of the actions to check, all of them without it. Notifications are
    left out, and so is every action whose ``when`` is false or cannot be evaluated yet.
    """
    before = earlier_actions(actions)
    keys = {action.id: action.key for action in actions}
    found: list[ValueProblem] = []
    for action in actions:
        validator = models.validators.get(action.type)
        if validator is None or action.notice is not None:
            continue
        if only is not None and action.id not in only:
            continue
        earlier = tuple(keys[other] for other in before[action.id])
        names = names_for(item, models.scope_context, earlier)
        work = _ConfigurationCheck(
            item, action, context, models, names=names, secrets=secrets, unknown=unknown
        )
        if work.runs():
            found += work.problems(validator)
    return list(dict.fromkeys(found))


class _ConfigurationCheck:
    """Checks the configuration of one action."""

    def __init__(  # noqa: PLR0913 -- what one action is checked by, each part named.
        self,
        item: CatalogDocument,
        action: PlannedAction,
        context: RequestContext,
        models: ActionModels,
        *,
        names: Names,
        secrets: Mapping[str, str],
        unknown: frozenset[str],
    ) -> None:
        self._item = item
        self._action = action
        self._context = context
        self._scope_context = models.scope_context
        self._fields = context.fields
        self._names = names
        self._secrets = dict(secrets)
        self._secret_fields = {form_field(path) for path in secrets}
        self._unknown = unknown
        self._scopes = self._bind_scopes(self._fields, self._secrets)
        self._choose = escaping_chooser(models.targets.get(action.type, {}), action.config)
        self._texts: list[_Text] = []
        self._misplaced: list[ValueProblem] = []

    def runs(self) -> bool:
        """Return whether the action runs for certain, as far as ``when`` is concerned."""
        if self._action.when is None:
            return True
        try:
            if self._is_later(check_when(self._action.when, self._names)):
                return False
            return evaluate_when(self._action.when, self._scopes, self._names)
        except TemplateError:
            return False

    def problems(self, validator: ConfigValidator) -> Iterator[ValueProblem]:
        rendered = self._walk(self._action.config, ())
        yield from self._misplaced
        for problem in validator(rendered):
            place = _existing(self._action.config, problem.place)
            below = [text for text in self._texts if _overlaps(text.place, place)]
            if any(text.is_open for text in below):
                continue
            value = _at(rendered, place)
            fields = [] if problem.missing else self._responsible_fields(below)
            if not fields:
                yield ValueProblem(
                    None, "configuration", self._located_message(place, problem.message)
                )
            for name in fields:
                yield self._field_problem(name, place, value, problem)

    def _walk(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return self._render(value, place)
        if isinstance(value, Mapping):
            return {key: self._walk(one, (*place, key)) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(one, (*place, index)) for index, one in enumerate(value)]
        return value

    def _render(self, text: str, place: Place) -> Any:
        """Render one text; what cannot be rendered yet stays as it is and is noted as open."""
        try:
            uses = check(text, self._names)
            if not self._is_later(uses):
                found = render(text, self._scopes, self._names, self._choose(place))
                fields = tuple(self._read(uses))
                if self._secret_fields.isdisjoint(fields):
                    self._texts.append(_Text(place, fields, is_open=False))
                    return found
        except TemplateError as error:
            if error.id == _INVALID_VALUE and self._choose(place) in PLACES:
                self._misplaced += self._leading_elsewhere(text, place, error)
        self._texts.append(_Text(place, (), is_open=True))
        return text

    def _leading_elsewhere(
        self, text: str, place: Place, error: TemplateError
    ) -> Iterator[ValueProblem]:
        """Return the fields by whose values a URL would lead somewhere else."""
        problem = ConfigProblem(place, error.message)
        read = list(dict.fromkeys(self._read(check(text, self._names))))
        if not read:
            yield ValueProblem(None, "configuration", self._located_message(place, error.message))
        alone = [name for name in read if self._leads_elsewhere_alone(name, read, text, place)]
        for name in alone or read:
            yield self._field_problem(name, place, text, problem)

    def _leads_elsewhere_alone(self, name: str, read: list[str], text: str, place: Place) -> bool:
        """Return whether a URL leads elsewhere although every other field has a harmless value."""
        harmless = dict.fromkeys((other for other in read if other != name), _HARMLESS)
        secrets = {key: harmless.get(key, value) for key, value in self._secrets.items()}
        scopes = self._bind_scopes({**self._fields, **harmless}, secrets)
        try:
            render(text, scopes, self._names, self._choose(place))
        except TemplateError as error:
            return error.id == _INVALID_VALUE
        return False

    def _bind_scopes(self, fields: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
        context = replace(self._context, fields=dict(fields))
        empty = dict.fromkeys(self._unknown, "")
        scopes, _ = bind(context, self._scope_context, secrets={**empty, **secrets}, outputs={})
        return scopes

    def _is_later(self, uses: list[tuple[str, ...]]) -> bool:
        return any(use[0] in RUNTIME_SCOPES for use in uses) or not self._unknown.isdisjoint(
            self._read(uses)
        )

    def _read(self, uses: list[tuple[str, ...]]) -> Iterator[str]:
        """Return the ids of the fields that are read."""
        for use in uses:
            path = use[1:] if use[:2] == ("request", "data") else use
            if use in _FIELDS or path[1:2] == ("*",):
                yield from (field.id for field in self._item.fields)
            elif path[0] in ("fields", "data") and path[1:]:
                yield path[1]

    def _responsible_fields(self, below: list[_Text]) -> list[str]:
        """Return the fields read there; if some of them have no value, only these."""
        read = list(dict.fromkeys(name for text in below for name in text.fields))
        empty = [name for name in read if self._fields.get(name) in (None, "", [], {})]
        return empty or read

    def _field_problem(
        self, name: str, place: Place, value: Any, problem: ConfigProblem
    ) -> ValueProblem:
        label = next((field.label for field in self._item.fields if field.id == name), None) or name
        received = None if name in self._secret_fields else self._fields.get(name)
        where = f"{_dotted_path(place)} of the action {self._action.name}"
        if self._fields.get(name) in (None, "", [], {}) and value in (None, "", [], {}):
            message = f"{label} needs a value: {where} is made from it"
            return ValueProblem(name, "required", message)
        message = f"{label} is invalid for {where}: {problem.message}"
        shown = received if isinstance(received, str | int | float | bool) else None
        return ValueProblem(name, "configuration", message, shown)

    def _located_message(self, place: Place, message: str) -> str:
        return f"action {self._action.id}, {_dotted_path(place)}: {message}"


def _existing(config: Any, place: Place) -> Place:
    """Leave out what a model adds to a place to name the member of a union."""
    found: list[str | int] = []
    for part in place:
        if _has(config, part):
            config = config[part]
            found.append(part)
    return tuple(found)


def _has(config: Any, part: str | int) -> bool:
    if isinstance(config, Mapping):
        return part in config
    return isinstance(config, list) and isinstance(part, int) and part < len(config)


def _at(config: Any, place: Place) -> Any:
    for part in place:
        if not _has(config, part):
            return None
        config = config[part]
    return config


def _overlaps(one: Place, other: Place) -> bool:
    """Return whether a place lies in the other one, or the other in it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _dotted_path(place: Place) -> str:
    return ".".join(str(part) for part in place) or "the configuration"
