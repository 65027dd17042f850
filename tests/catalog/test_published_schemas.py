"""What an editor makes of the published schemas: every key says what it is for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parents[2] / "catalog" / "schema"
FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json"))


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Return every property that is defined, not those of conditions about others."""
    if isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from properties(part, f"{path}/{index}")
    elif isinstance(schema, dict):
        defined = schema.get("properties")
        if isinstance(defined, dict):
            yield from ((f"{path}/{key}", one) for key, one in defined.items())
        for key, part in schema.items():
            if key not in {"if", "then", "examples", "default"}:
                yield from properties(part, f"{path}/{key}")


def is_described(one: Any) -> bool:
    if not isinstance(one, dict) or "description" in one or "$ref" in one:
        # A reference is to a part that is described where it is defined.
        return True
    members = [member for key in ("anyOf", "allOf", "oneOf") for member in one.get(key, ())]
    return any(is_described(member) for member in members)


@pytest.mark.parametrize("file", FILES)
def test_a_published_schema_is_one_and_describes_every_key(file: str) -> None:
    schema = json.loads((FOLDER / file).read_text(encoding="utf-8"))

    Draft202012Validator.check_schema(schema)

    assert [path for path, one in properties(schema) if not is_described(one)] == []


@pytest.mark.parametrize("file", ["actions/rest-api.json", "catalog-item.json"])
def test_outputs_within_the_configuration_of_a_call_are_deprecated_and_not_unknown(
    file: str,
) -> None:
    schema = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    config = schema if file.startswith("actions") else schema["$defs"]["rest-api"]
    assert config["properties"]["outputs"]["deprecated"]
    judge = Draft202012Validator({**config, "$defs": schema["$defs"]})
    for outputs in (["id"], [{"name": "id", "path": "$.id"}], {"id": "$.id"}):
        call = {"endpoint": {"url": "https://dns.example.com"}, "outputs": outputs}
        assert list(judge.iter_errors(call)) == []
