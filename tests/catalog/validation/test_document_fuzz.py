"""No document makes validation raise: whatever stands in it, there are findings or an item."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from activities.registry import load_all
from catalog.loading import load_document
from catalog.validation import ActionSchema, Severity, validate

SAMPLES = Path(__file__).parents[3] / "examples" / "catalog"
KNOWN = {
    name: ActionSchema(config=action.config.model_json_schema(), targets=action.targets)
    for name, action in load_all().items()
}
DOCUMENTS = [
    load_document(file.read_bytes(), file=file.name).data
    for file in sorted(SAMPLES.glob("*/*.yaml"))
]
LEAVES = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**40, "", "x", "today", "{{", "{{fields.x}}", "(", "a b", "5MB"]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "all", "not", "dependsOn", "value", "label", "$ref", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container with every key in it."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


@settings(max_examples=300)
@given(data=st.data())
def test_a_document_with_anything_anywhere_is_judged(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(document)))
        if data.draw(st.booleans()):
            container[key] = data.draw(VALUES)
        elif isinstance(container, dict):
            container[data.draw(st.sampled_from(["x", "id", "enum", "schema", "conditional"]))] = (
                data.draw(VALUES)
            )

    result = validate(json.dumps(document), file="tools/item.yaml", known_actions=KNOWN)

    assert (result.item is None) is any(f.severity is Severity.ERROR for f in result.findings)
    if result.item is not None:
        result.item.form.json_schema()
        result.item.form.ui_schema()
