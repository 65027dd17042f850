"""What every action type promises, as far as it can be checked without its target.

`pao actions check` and the tests of a package run it: schemas, examples, texts for people.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, PydanticUserError, ValidationError

from activities.base import Action, ActionConfig
from catalog.loading import json_path
from catalog.schema_messages import message_of
from catalog.templating import Names, TemplateError, check
from catalog.templating.contract import Escaping
from catalog.validation.structure_messages import explain

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SECRETS = re.compile(r"password|token|secret|apikey|api_key|privatekey", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{|\{%")


@dataclass(frozen=True, slots=True)
class Checked:
    """One promise: what it is, and how it is broken; empty where it holds."""

    promise: str
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the type keeps it."""
        return not self.problems


def check_contract(action: Action[Any]) -> list[Checked]:
    """Check an action type; nothing is called that could reach a target."""
    checks = {
        "It has a name, a summary and a type of resource": _texts,
        "Its configuration and outputs have valid JSON Schemas": _schemas,
        "Its configuration refuses unknown keys": _strict,
        "It has examples, and each is a valid configuration": _examples,
        "Templates in its examples can be read": _templates,
        "Its targets and breaker keys are keys of the configuration": _keys,
        "Credentials in its examples come from the secret store": _credentials,
    }
    return [Checked(promise, tuple(check(action))) for promise, check in checks.items()]


def _texts(action: Action[Any]) -> Iterator[str]:
    if not _NAME.fullmatch(action.type):
        yield f"the type {action.type!r} is not kebab-case"
    for key in ("summary", "resource_type"):
        if not str(getattr(action, key, "")).strip():
            yield f"{key} is empty"


def _schemas(action: Action[Any]) -> Iterator[str]:
    for key in ("config", "outputs"):
        model: type[BaseModel] = getattr(action, key)
        try:
            Draft202012Validator.check_schema(model.model_json_schema())
            json.dumps(model.model_json_schema())
        except SchemaError as error:
            yield f"{key}: its schema {message_of(error)}"
        except (PydanticUserError, TypeError, ValueError) as error:
            # The rest of pydantic's text is an address of its own documents.
            yield f"{key}: no JSON Schema can be made of it ({str(error).splitlines()[0][:200]})"


def _strict(action: Action[Any]) -> Iterator[str]:
    if not issubclass(action.config, ActionConfig):
        yield "derive it from activities.base.ActionConfig"
    elif action.config.model_config.get("extra") != "forbid":
        yield "its model_config must keep extra='forbid'"


def _examples(action: Action[Any]) -> Iterator[str]:
    if not action.examples:
        yield "give at least one in `examples`"
    required = set(action.config.model_json_schema().get("required", ()))
    for number, example in enumerate(action.examples, 1):
        missing = sorted(required - example.keys())
        if missing:
            yield f"example {number} lacks {', '.join(missing)}"
            continue
        try:
            action.config.model_validate(example)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            for problem in explain(action.config, example, details):
                hint = f"; {problem.hint}" if problem.hint else ""
                yield f"example {number}, {json_path(problem.path)}: {problem.message}{hint}"


def _templates(action: Action[Any]) -> Iterator[str]:
    for number, example in enumerate(action.examples, 1):
        for place, text in _texts_in(example):
            try:
                check(text, Names(groups={}, outputs=()))
            except TemplateError as error:
                if error.id in {"template-syntax", "template-refused", "template-function"}:
                    yield f"example {number}, {place}: {error}"


def _keys(action: Action[Any]) -> Iterator[str]:
    properties = action.config.model_json_schema().get("properties", {})
    for key in (*action.targets, *action.breaker_keys):
        first = key.split("?")[0].split(".")[0]
        if first not in properties and "*" not in first:
            yield f"{key}: there is no {first} in the configuration"
    for key, target in action.targets.items():
        if target not in set(Escaping):
            yield f"{key}: {target!r} is not a target of templates"


def _credentials(action: Action[Any]) -> Iterator[str]:
    for number, example in enumerate(action.examples, 1):
        for place, text in _texts_in(example):
            last = place.rpartition(".")[2]
            if _SECRETS.fullmatch(last) and not _TEMPLATE.search(text):
                yield f"example {number}, {place}: write {{{{secrets.<name>}}}}"


def _texts_in(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict | list | tuple):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in entries:
            yield from _texts_in(inner, f"{place}.{key}".lstrip("."))
