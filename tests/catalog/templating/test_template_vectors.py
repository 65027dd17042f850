"""The grammar's vectors: every case gives exactly the value, or the error, that it demands."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog.templating import Escaping, Names, TemplateError, evaluate_when, render

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "templates.jsonl"
CASES = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
WITHOUT_POSITION = ("template-limit", "template-json")


def names_in(context: Mapping[str, Any]) -> Names:
    groups = context.get("groups") or {"all": tuple(context.get("fields", ()))}
    return Names(
        groups={group: tuple(fields) for group, fields in groups.items()},
        outputs=tuple(context.get("outputs", ())),
        components=tuple(context.get("components", ())),
        environment=tuple(context.get("environment", ())),
        item=context.get("metadata", {}).get("id", ""),
    )


def result_of(case: Mapping[str, Any]) -> Any:
    scopes = {name: scope for name, scope in case["context"].items() if name != "groups"}
    names = names_in(case["context"])
    if case.get("kind") == "when":
        return evaluate_when(case["template"], scopes, names)
    return render(case["template"], scopes, names, Escaping(case["target"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_vector_gives_what_it_expects(case: Mapping[str, Any]) -> None:
    if "error" not in case:
        result = result_of(case)
        assert result == case["expect"]
        assert isinstance(result, bool) == isinstance(case["expect"], bool)
        return
    with pytest.raises(TemplateError) as caught:
        result_of(case)
    error = caught.value
    assert error.id == case["error"]
    assert error.suggestion == case.get("suggestion")
    if error.id not in WITHOUT_POSITION:
        assert (error.line, error.column) == (case.get("line", 1), case["column"])
