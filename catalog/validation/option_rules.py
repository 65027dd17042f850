"""Rules about choices that come from elsewhere, and about the lists that some come from."""

from collections.abc import Iterator
from typing import Any

from catalog.forms import FieldType
from catalog.forms.options import HttpOptions, ResourceOptions
from catalog.forms.values import canonical
from catalog.lists import CatalogList
from catalog.loading import Path
from catalog.validation.configuration_messages import configuration_problems
from catalog.validation.form_rules import fields_of
from catalog.validation.subject import ActionSchema, Problem, Subject, is_checked_later
from pao.core.durations import seconds_of

_CHOICE_TYPES = frozenset({FieldType.SELECT, FieldType.MULTISELECT})
# What a list document has no use for.
_NOT_IN_LISTS = ("presentation", "fulfillment", "monitoring")
_LONGEST_CACHE = 86_400.0


def options(subject: Subject) -> Iterator[Problem]:
    """Require options on a select or multiselect without an enum, and a call that can be made.

    The call of ``from: http`` is checked like that of a rest-api action: address, credentials,
    JSONPaths.
    """
    for path, field in fields_of(subject):
        if field.options is None:
            continue
        where = (*path, "options")
        if field.type not in _CHOICE_TYPES:
            message = f"options have no effect on a field of type {field.type}"
            yield Problem(where, message, "use type select or multiselect")
        if field.choices is not None:
            yield Problem(where, "a field has an enum or options, not both")
        if isinstance(field.options, HttpOptions):
            yield from _call(subject, field.options, where)


def _call(subject: Subject, given: HttpOptions, where: Path) -> Iterator[Problem]:
    seconds = seconds_of(given.cache) if given.cache is not None else 0.0
    if seconds is None or seconds > _LONGEST_CACHE:
        yield Problem((*where, "cache"), "cache is not a duration of at most a day", "write 5m")
    rest = subject.known_actions.get("rest-api")
    if rest is None:
        return
    paths = {"select": given.select, "value": given.value, "label": given.label}
    config: dict[str, Any] = {
        "endpoint": {"url": given.url, "method": "GET"},
        "query": given.query,
        "headers": given.headers,
        "response": {"extract": {key: path for key, path in paths.items() if path is not None}},
    }
    if given.authentication is not None:
        config["authentication"] = given.authentication
    for place, message in _call_problems(rest, config):
        own = [part for part in place if part not in ("endpoint", "response", "extract")]
        written = own[:1] if own[:1] and own[0] in paths else own
        yield Problem((*where, *written), message)


def _call_problems(rest: ActionSchema, config: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong with a call, by the type's own model where that is at hand."""
    if rest.validate_config is not None:
        yield from ((problem.place, problem.message) for problem in rest.validate_config(config))
        return
    errors = [error for error in rest.validator.iter_errors(config) if not is_checked_later(error)]
    for problem in configuration_problems((), errors, rest.config):
        yield problem.path, problem.message


def resources(subject: Subject) -> Iterator[Problem]:
    """Warn about options from resources: PAO keeps none yet, so there is nothing to choose."""
    for path, field in fields_of(subject):
        if isinstance(field.options, ResourceOptions):
            message = "PAO does not keep resources yet, so this field offers nothing"
            yield Problem((*path, "options"), message, "use from: list or from: http until then")


def list_rows(subject: Subject) -> Iterator[Problem]:
    """Require that a list offers each value and each label once, and nothing else."""
    if not isinstance(subject.item, CatalogList):
        return
    for key in _NOT_IN_LISTS:
        if key in subject.item.model_fields_set:
            yield Problem((key,), f"a list has no {key}", "leave it out", at_key=True)
    for name in ("value", "label"):
        seen: dict[Any, int] = {}
        for index, row in enumerate(subject.item.rows):
            given = getattr(row, name)
            if given is None:
                continue
            if canonical(given) in seen:
                message = (
                    f"the {name} {str(given)[:80]!r} is also in row {seen[canonical(given)] + 1}"
                )
                yield Problem(("rows", index, name), message)
            seen.setdefault(canonical(given), index)
