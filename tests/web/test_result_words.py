"""What a request made, in words for people. Pure."""

from typing import Any

import pytest

from api.requests.schemas.request import REQUEST
from api.web.pages.request.results import plan_words, results_of

ACTION = REQUEST.actions[0]


def outputs_of(kind: str, outputs: dict[str, Any]) -> dict[str, str]:
    given = {"type": kind, "name": "Network", "external_reference": None, "url": None}
    action = ACTION.model_copy(update=given | {"outputs": outputs})
    made = results_of(REQUEST.model_copy(update={"actions": [action], "components": None}))
    assert {one.step for one in made} <= {"Network"}
    return {one.label: one.value for one in made}


def test_what_terraform_made_is_named_as_its_module_names_it() -> None:
    outputs = {
        "plan": {"add": 2, "change": 1, "destroy": 0},
        "values": {"endpoint": "db.example.com", "ports": [5432]},
        "pin": {"changes": []},
        "applied": True,
        "workspace": "pao-1",
    }
    assert outputs_of("terraform", outputs) == {
        "Plan": "2 added, 1 changed, 0 destroyed",
        "endpoint": "db.example.com",
        "ports": "[5432]",
        "workspace": "pao-1",
    }


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (
            {"plan": {"add": 1, "change": 0, "destroy": 3}, "applied": False},
            "1 to add, 0 to change, 3 to destroy",
        ),
        ({"plan": {"add": 0, "change": 0, "destroy": 0}, "applied": False}, "Nothing to change"),
        ({"plan": "no mapping"}, ""),
        ({}, ""),
    ],
)
def test_a_plan_is_told_as_counts(outputs: dict[str, Any], words: str) -> None:
    action = ACTION.model_copy(update={"type": "terraform", "outputs": outputs})
    assert plan_words(action) == words


def test_an_output_of_several_values_is_data_that_can_be_copied() -> None:
    told = outputs_of("rest-api", {"zones": {"a": True}, "id": 7})
    assert told == {"zones": '{"a": true}', "id": "7"}
