"""Writes the files of the repository that are generated from the code: ``make generate``.

JSON Schemas below catalog/schema/, pages below docs/, and the settings that the chart's values must
not hold. Tests fail where they differ.
"""

import json
from pathlib import Path

from activities.actions_page import actions_page
from activities.registry import action_schemas, load_all
from catalog.builtin_action_types import action_types_json
from catalog.reference_page import reference_page
from catalog.schema import published_schemas, schema_text
from catalog.validation.rules_page import rules_page
from pao.settings.loading import secret_names

ROOT = Path(__file__).resolve().parents[2]
VALUES_SCHEMA = "helm/pao/values.schema.json"
SET_BY_THE_CHART = (
    *("PAO_BUILD_ID", "PAO_HOST", "PAO_PORT", "PAO_PROMOTE"),
    *("WORKER_METRICS_HOST", "WORKER_METRICS_PORT"),
)


def generated_files() -> dict[str, str]:
    """Return every generated file by its path in the repository."""
    summaries = {name: action.summary for name, action in load_all().items()}
    actions = {name: (one.config, summaries[name]) for name, one in action_schemas().items()}
    schemas = published_schemas(actions)
    return {
        **{f"catalog/schema/{name}": schema_text(schema) for name, schema in schemas.items()},
        "catalog/action-types.json": action_types_json(action_schemas()),
        "docs/actions.md": actions_page(),
        "docs/rules.md": rules_page(),
        "docs/catalog-reference.md": reference_page(),
        VALUES_SCHEMA: values_schema(),
    }


def values_schema() -> str:
    """Return the schema of the chart's values.

    It refuses secrets among the settings, and what probes, services and jobs depend on.
    """
    schema = json.loads((ROOT / VALUES_SCHEMA).read_text(encoding="utf-8"))
    # Helm refuses a name without a reason; for a value it shows what it must be.
    refused = dict.fromkeys(secret_names(), "secret") | dict.fromkeys(SET_BY_THE_CHART, "decided")
    schema["definitions"]["settings"]["properties"] = {
        name: {"$ref": f"#/definitions/{why}"} for name, why in sorted(refused.items())
    }
    return json.dumps(schema, indent=2) + "\n"


def main() -> None:
    """Write all generated files, and remove the schemas of removed action types."""
    files = generated_files()
    for old in (ROOT / "catalog/schema/actions").glob("*.json"):
        if old.relative_to(ROOT).as_posix() not in files:
            old.unlink()
    for name, text in files.items():
        target = ROOT / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
