"""The models of action types as judges of rendered configurations, for the catalog and the API."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from catalog.judging import ConfigProblem, Judge


def judge_of(model: type[BaseModel]) -> Judge:
    """Return the judge of an action type's configurations."""

    def judge(config: Mapping[str, Any]) -> tuple[ConfigProblem, ...]:
        try:
            model.model_validate(config)
        except ValidationError as error:
            return _problems(error)
        return ()

    return judge


def _problems(error: ValidationError) -> tuple[ConfigProblem, ...]:
    return tuple(
        ConfigProblem(
            place=tuple(one["loc"]),
            message=one["msg"].removeprefix("Value error, "),
            missing=one["type"] in {"missing", "extra_forbidden"},
        )
        for one in error.errors(include_input=False, include_url=False)
    )
