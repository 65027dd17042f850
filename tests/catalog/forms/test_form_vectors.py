"""The shared cases of the grammar's section Forms, unchanged."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.forms import Form

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "forms.jsonl"


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
