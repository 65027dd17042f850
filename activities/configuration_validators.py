"""Validates rendered configurations with the models of action types, for catalog and API."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from activities.base import Action
from activities.config_values import PlacedError
from catalog.configuration_checks import ActionModels, ConfigProblem, ConfigReader, ConfigValidator
from catalog.scopes import ScopeContext
from pao.runtime.model_errors import message_of


def action_models(actions: Mapping[str, Action[Any]], scope_context: ScopeContext) -> ActionModels:
    """Return the validators and targets of action types."""
    return ActionModels(
        scope_context,
        validators={name: validator_for(action.config) for name, action in actions.items()},
        targets={name: action.targets for name, action in actions.items()},
    )


def validator_for(model: type[BaseModel]) -> ConfigValidator:
    """Return the check of an action type's configurations."""

    def judge(config: Mapping[str, Any]) -> tuple[ConfigProblem, ...]:
        try:
            model.model_validate(config)
        except ValidationError as error:
            return problems_of(error)
        return ()

    return judge


def reader_for(model: type[BaseModel]) -> ConfigReader:
    """Return a function that drops from a configuration what its model drops."""

    def read(config: Mapping[str, Any]) -> dict[str, Any]:
        try:
            kept = model.model_validate(config)
        except ValidationError:
            return dict(config)
        found: dict[str, Any] = _keep_given(
            config, kept.model_dump(mode="json", by_alias=True, exclude_unset=True)
        )
        return found

    return read


def _keep_given(given: Any, kept: Any) -> Any:
    """Return a value as given, without the keys and items that were dropped."""
    if isinstance(given, Mapping) and isinstance(kept, dict):
        return {key: _keep_given(value, kept[key]) for key, value in given.items() if key in kept}
    if isinstance(given, list | tuple) and isinstance(kept, list):
        if len(given) != len(kept):
            return kept
        return [_keep_given(one, other) for one, other in zip(given, kept, strict=True)]
    return given


def problems_of(error: ValidationError) -> tuple[ConfigProblem, ...]:
    """Return the problems that a model reports, each with its place."""
    found = [
        ConfigProblem(
            place=(*one["loc"], *_place_within(one)),
            message=message_of(one),
            missing=one["type"] in {"missing", "extra_forbidden"},
        )
        for one in error.errors(include_input=False, include_url=False)
    ]
    # A list with invalid members is also reported as too short, which is wrong.
    places = {one.place for one in found}
    return tuple(one for one in found if not any(_is_within(other, one.place) for other in places))


def _place_within(error: ErrorDetails) -> tuple[str | int, ...]:
    raised = error.get("ctx", {}).get("error")
    return raised.place if isinstance(raised, PlacedError) else ()


def _is_within(place: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return len(place) > len(other) and place[: len(other)] == other
