"""PAO's own action types as the rules know them, read from a file: no action type is imported.

``make generate`` writes the file; a test fails where it differs from the types.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.validation.subject import ActionSchema

FILE = Path(__file__).parent / "action-types.json"
_PARTS = ("config", "outputs", "targets")


def builtin_action_types() -> dict[str, ActionSchema]:
    """Return the schemas of the types by name, without their ``validate_config``."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: ActionSchema(**parts) for name, parts in found.items()}


def action_types_json(types: Mapping[str, ActionSchema]) -> str:
    """Return the text of the file."""
    parts = {
        name: {part: dict(getattr(schema, part)) for part in _PARTS}
        for name, schema in sorted(types.items())
    }
    return json.dumps(parts, indent=1, ensure_ascii=False) + "\n"
