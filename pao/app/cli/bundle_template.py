"""The bundle that `pao catalog init --component` writes. Imported when it runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from catalog.forms import FieldDefinition
from catalog.forms.base import label_from_id
from catalog.model import CatalogDocument
from catalog.testing.cases import dump
from catalog.validation import validate
from pao.app.cli.documents import types_for_rules
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.item_answers import InitAnswers
from pao.app.cli.item_template import schema_address

_HEAD = """\
# yaml-language-server: $schema={schema}
# The form asks for required fields without a default. To ask for less, write values or
# templates into `config`, such as "{{{{fields.appName}}}}-db".
"""


def write_bundle(folder: Path, answers: InitAnswers, items: Sequence[CatalogDocument]) -> Path:
    """Write a bundle of these items; nothing that exists is overwritten."""
    file = folder / answers.category / f"{answers.id}.yaml"
    if file.exists():
        raise CliError(
            f"{file} exists already",
            exit_code=ExitCode.USAGE,
            hint="Choose another --id, or remove it first.",
        )
    schema = schema_address(folder, file, "catalog-bundle.json")
    text = _HEAD.format(schema=schema) + dump(_document(answers, items))
    result = validate(text, file=file.as_posix(), known_actions=types_for_rules())
    if result.errors:
        raise CliError(
            "These answers do not make a valid bundle",
            exit_code=ExitCode.FAILED,
            details=tuple(str(finding) for finding in result.errors),
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def _document(answers: InitAnswers, items: Sequence[CatalogDocument]) -> dict[str, Any]:
    owner = {"team": answers.team} | ({"contact": answers.contact} if answers.contact else {})
    parts = [*_parts(items)]
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogBundle",
        "metadata": {
            "id": answers.id,
            "name": answers.name,
            "description": " ".join(answers.description.split()),
            "version": "1.0.0",
            "category": answers.category,
            "owner": owner,
        },
        "presentation": {"form": {"groups": [group for group, _ in parts if group["fields"]]}},
        "components": [component for _, component in parts],
        "fulfillment": {"orchestration": {"mode": "sequential"}},
    }


def _parts(items: Sequence[CatalogDocument]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield a group of the form and a component for each item."""
    for number, item in enumerate(items, 1):
        prefix = f"part{number}"
        needed = [field for field in item.fields if _is_needed(field)]
        names = {field.id: f"{prefix}{field.id[0].upper()}{field.id[1:]}" for field in needed}
        group = {
            "id": prefix,
            "name": item.name,
            "fields": [_bundle_field(field, names[field.id]) for field in needed],
        }
        config = {key: f"{{{{fields.{name}}}}}" for key, name in names.items()}
        yield group, {"id": f"part-{number}", "catalogItem": item.id, "config": config}


def _is_needed(field: FieldDefinition) -> bool:
    return field.is_always_required and field.default is None and field.conditional is None


def _bundle_field(field: FieldDefinition, name: str) -> dict[str, Any]:
    """Return the field as it is in the form of the bundle."""
    written = field.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {**written, "id": name, "name": field.name or label_from_id(field.id)}
