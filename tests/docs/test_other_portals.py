"""The page for people from other portals: what it says of PAO is valid in PAO."""

import re
from typing import Any

import pytest
import yaml

from activities.registry import action_schemas
from catalog.validation import validate
from tests.support.pages import ROOT
from tests.support.requests import item

PAGE = (ROOT / "docs" / "from-other-portals.md").read_text(encoding="utf-8")
FORMS = (ROOT / "docs" / "forms.md").read_text(encoding="utf-8")
HELPERS = ("environment", "team", "name", "warn", "critical", "owner", "appName", "title")


def parts_of_pao() -> list[str]:
    """Return every example that is marked as PAO's, or that has nobody else's in it."""
    found = []
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL):
        pieces = re.split(r"^# PAO.*\n", block, flags=re.MULTILINE)
        found += pieces[1:] if len(pieces) > 1 else pieces
    return found


def examples_of_forms() -> list[str]:
    blocks = re.findall(r"```yaml\n(.*?)```", FORMS, flags=re.DOTALL)
    return [block for block in blocks if "kind: CatalogList" not in block]


def errors(example: str) -> list[str]:
    read: Any = yaml.safe_load(example)
    form = read if isinstance(read, dict) else {"groups": [{"id": "g", "fields": read}]}
    form.setdefault("groups", [{"id": "g", "fields": []}])
    own = {one["id"] for group in form["groups"] for one in group["fields"]}
    helpers = [
        {"id": name, "type": "integer" if name in ("warn", "critical") else "string"}
        for name in HELPERS
        if name not in own
    ]
    form["groups"].append({"id": "helpers", "fields": helpers})
    document = item()
    document["presentation"]["form"] = form
    found = validate(
        yaml.safe_dump(document), file="things/thing.yaml", known_actions=action_schemas()
    )
    return [str(one) for one in found.findings if one.severity == "error"]


@pytest.mark.parametrize("example", [*parts_of_pao(), *examples_of_forms()])
def test_an_example_of_pao_is_valid(example: str) -> None:
    assert errors(example) == []


def test_every_example_is_tried() -> None:
    assert len(parts_of_pao()) == 8
    assert len(examples_of_forms()) == 4
