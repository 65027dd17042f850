"""The sample catalog: every item loads cleanly, and its secrets stay out of its tickets."""

from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from activities.registry import load_all
from catalog.forms import FieldType
from catalog.loading import walk_texts
from catalog.sources.local import LoadedItem
from catalog.validation import ActionSchema
from tests.support.catalog_folder import LoadedCatalog, load_folder

SAMPLES = Path(__file__).parents[2] / "examples" / "catalog"
KNOWN = {
    name: ActionSchema(config=action.config.model_json_schema(), targets=action.targets)
    for name, action in load_all().items()
}
TODAY = date(2026, 3, 5)


def samples() -> LoadedCatalog:
    return load_folder(SAMPLES, KNOWN)


def each() -> list[LoadedItem]:
    return list(samples().items.values())


def test_no_sample_has_a_finding() -> None:
    catalog = samples()

    assert [str(finding) for finding in (*catalog.refused, *catalog.remarks)] == []
    assert len(catalog.items) >= 7


def test_the_samples_use_every_field_type() -> None:
    fields = [field for loaded in each() for field in loaded.item.fields]
    used = {one.type for field in fields for one in (field, *field.fields)}

    assert used == set(FieldType)


def test_the_request_of_the_api_description_is_valid() -> None:
    item = samples().items["database-postgresql-standard"].item

    result = item.form.validate({"instanceName": "orders-db", "storageSize": 100}, TODAY)

    assert (item.version, result.valid) == ("1.2.0", True)
    assert result.values["environment"] == "development"


def test_one_sample_is_for_some_teams_only_and_one_is_deprecated() -> None:
    items = [loaded.item for loaded in each()]

    assert [item.id for item in items if item.allowed_teams] == ["access-github-repository"]
    assert [item.deprecation.replacement for item in items if item.deprecation.deprecated] == [
        "database-postgresql-standard"
    ]


@pytest.mark.parametrize("loaded", each(), ids=lambda loaded: loaded.item.id)
def test_no_password_is_named_in_an_action(loaded: LoadedItem) -> None:
    texts = [text for action in loaded.item.manual_actions for _, text in walk_texts(action.config)]

    for field_id in loaded.item.passwords.holders:
        assert not any(field_id in text for text in texts)


@pytest.mark.parametrize("loaded", each(), ids=lambda loaded: loaded.item.id)
def test_the_form_of_a_sample_is_a_schema(loaded: LoadedItem) -> None:
    Draft202012Validator.check_schema(loaded.item.form.json_schema())
