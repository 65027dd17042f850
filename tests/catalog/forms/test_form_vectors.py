"""The vectors of the grammar's section Forms, unchanged."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from catalog.forms import Form

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "forms.jsonl"


def cases() -> Iterator[Any]:
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield pytest.param(case, id=case["id"])


@pytest.mark.parametrize("case", list(cases()))
def test_the_validator_answers_as_the_vector_says(case: dict[str, Any]) -> None:
    today = date.fromisoformat(case.get("context", {}).get("today", "2026-03-05"))

    result = Form.from_mapping(case["form"]).validate(case["values"], today)

    answer: dict[str, Any] = {"valid": result.valid}
    if result.valid:
        answer["values"] = result.values
    else:
        answer["errors"] = [
            {"field": error.field, "constraint": error.constraint} for error in result.errors
        ]
    assert json.dumps(answer, sort_keys=True) == json.dumps(case["expect"], sort_keys=True)


# JSON Schema has no words for these; its multipleOf is computed in binary by most libraries.
BEYOND_JSON_SCHEMA = {"f021", "f054", "f056"}


@pytest.mark.parametrize("case", list(cases()))
def test_the_json_schema_agrees_with_the_vector(case: dict[str, Any]) -> None:
    schema = Form.from_mapping(case["form"]).json_schema()
    given = {key: value for key, value in case["values"].items() if value is not None}

    accepted = Draft202012Validator(schema, format_checker=FormatChecker(["date"])).is_valid(given)

    agrees = accepted is case["expect"]["valid"]
    assert agrees is (case["id"] not in BEYOND_JSON_SCHEMA)
