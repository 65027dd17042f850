"""Findings about values that are escaped for a place where they were meant to be its syntax."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from catalog.action_rendering import escaping_chooser
from catalog.config_texts import WEB_ADDRESS, is_template
from catalog.loading import Path, value_at, walk_texts
from catalog.templating import Escaping
from catalog.validation.subject import Problem, Subject

# Also before a colon: a scheme may be a value.
_BEGINS = re.compile(
    r"\s*\{\{-?\s*((?:fields|request|outputs|components|fulfillment)\b[\w./]*)[^{}]*\}\}(?!:)"
)


def encoded_addresses(subject: Subject) -> Iterator[Problem]:
    """Yield addresses that begin with a value, whose :// is encoded like all else in it."""
    for path, action in subject.actions():
        schema = subject.known_actions.get(action.type)
        if schema is None or not any(map(_BEGINS.match, _texts(action.config))):
            continue
        targets = {key: Escaping(value) for key, value in schema.targets.items()}
        choose = escaping_chooser(targets, action.config)
        for error in _all(subject.possible_errors(action)):
            begins = _BEGINS.match(str(error.instance))
            place: Path = tuple(error.absolute_path)
            if error.validator_value == WEB_ADDRESS and begins and choose(place) is Escaping.URL:
                message = f"the address begins with {begins[1]}, which is percent-encoded here"
                hint = "write https:// and the host, and values only for what differs"
                yield Problem((*path, "config", *place), message, hint)


def _texts(config: Mapping[str, Any]) -> Iterator[str]:
    return (text for _, text in walk_texts(config))


def _all(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        yield error
        yield from _all(error.context or ())


def chosen_escapings(subject: Subject) -> Iterator[Problem]:
    """Yield templates where a literal must say how values elsewhere are escaped."""
    for path, action in subject.actions():
        schema = subject.known_actions.get(action.type)
        conditions = (key.partition("?")[2] for key in (schema.targets if schema else ()))
        for key in dict.fromkeys(one.partition("=")[0] for one in conditions if one):
            place: Path = tuple(key.split("."))
            if is_template(value_at(action.config, place)):
                message = f"{key} is a template, but it decides how values are escaped"
                yield Problem((*path, "config", *place), message, "write it literally")
