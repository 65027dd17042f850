"""Conditions of rest-api: a value is found however the target and the document write it."""

import json
from typing import Any

import pytest

from activities.actions.rest.answers import holds
from activities.actions.rest.config import AnswerCondition
from activities.outgoing import TargetResponse


@pytest.mark.parametrize(
    ("answered", "wanted", "same"),
    [
        (True, "true", True),
        ("true", True, True),
        (1, "1", True),
        ("1", 1, True),
        (1, 1.0, True),
        (None, "null", True),
        (True, 1, False),
        (1, True, False),
        (0, False, False),
        ("one", "two", False),
        (False, "true", False),
        ({"a": 1}, "x", False),
    ],
)
def test_a_text_and_a_scalar_are_the_same_when_they_are_written_the_same(
    *, answered: Any, wanted: Any, same: object
) -> None:
    condition = AnswerCondition.model_validate({"path": "$.v", "values": [wanted]})
    answer = TargetResponse(200, {}, json.dumps({"v": answered}).encode())
    assert holds(condition, answer) is same


def test_a_value_that_is_not_there_is_none_of_those_wanted() -> None:
    condition = AnswerCondition.model_validate({"path": "$.other", "values": ["null", 1]})
    assert not holds(condition, TargetResponse(200, {}, b'{"v": 1}'))
