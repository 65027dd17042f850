"""The item as its document says it: accessors, defaults, names."""

from typing import Any

import pytest
from pydantic import ValidationError

from catalog.model import CatalogItem


def document(**parts: Any) -> dict[str, Any]:
    metadata = {"id": "database-x-small", "name": "X", "version": "1.0.0", "category": "databases"}
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": metadata | parts.pop("metadata", {}),
        "fulfillment": {"manual": {"actions": parts.pop("actions", [])}},
        **parts,
    }


def item(**parts: Any) -> CatalogItem:
    return CatalogItem.model_validate(document(**parts))


def test_an_action_without_an_id_is_named_by_its_type_and_number() -> None:
    actions = item(
        actions=[
            {"type": "jira-ticket"},
            {"type": "rest-api", "name": "Call"},
            {"type": "jira-ticket"},
            {"type": "jira-ticket", "id": "last"},
        ]
    ).manual_actions

    assert [action.id for action in actions] == [
        "jira-ticket-1",
        "rest-api-1",
        "jira-ticket-2",
        "last",
    ]
    assert [action.name for action in actions] == ["jira-ticket-1", "Call", "jira-ticket-2", "last"]


def test_an_action_keeps_what_planning_needs() -> None:
    given = {
        "type": "jira-ticket",
        "config": {"ticket": {"project": "DB"}},
        "when": "fields.x",
        "dependsOn": ["other"],
        "timeout": "5m",
        "outputs": ["key", {"name": "url", "required": True}],
        "cleanup": "Close it.",
    }

    action = item(actions=[given]).manual_actions[0]

    assert action.config == given["config"]
    assert (action.when, action.depends_on, action.timeout) == ("fields.x", ("other",), "5m")
    assert [(output.name, output.required) for output in action.outputs] == [
        ("key", False),
        ("url", True),
    ]
    assert action.cleanup == "Close it."


def test_when_may_be_a_plain_true_or_false() -> None:
    assert item(actions=[{"type": "x", "when": False}]).manual_actions[0].when == "false"


def test_metadata_carries_further_constants() -> None:
    metadata = item(metadata={"jira": {"component": "DB"}}).metadata

    assert metadata.model_extra == {"jira": {"component": "DB"}}


def test_the_owner_and_the_allowed_teams_are_at_hand() -> None:
    given = item(
        metadata={"owner": {"team": "team-a"}, "access": {"allowedTeams": ["team-b", "team-c"]}}
    )

    assert given.owner_team == "team-a"
    assert given.allowed_teams == {"team-b", "team-c"}
    assert item().owner_team is None
    assert item().allowed_teams == frozenset()


def test_fields_are_flat_and_in_order_and_passwords_are_known() -> None:
    def group(name: str, *types: str) -> dict[str, Any]:
        fields = [{"id": f"{name}{n}", "type": type_} for n, type_ in enumerate(types)]
        return {"id": name, "fields": fields}

    form = {"groups": [group("a", "string", "password"), group("b", "password")]}
    given = item(presentation={"form": form})

    assert [field.id for field in given.fields] == ["a0", "a1", "b0"]
    assert given.passwords.fields == {"a1", "b0"}


def test_an_item_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        item().metadata.name = "Y"  # type: ignore[misc] # the point of the test


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("required", "true"), ("required", 1), ("id", 5), ("type", "strin"), ("validation", [])],
)
def test_nothing_is_coerced(field: str, wrong: Any) -> None:
    form = {"groups": [{"id": "g", "fields": [{"id": "a", "type": "string", field: wrong}]}]}

    with pytest.raises(ValidationError):
        item(presentation={"form": form})
