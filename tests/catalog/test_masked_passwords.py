"""Passwords in rows at rest and in corrections: sealed by place, kept by stars, told apart."""

from typing import Any

import pytest

from catalog.forms import FieldDefinition
from catalog.masked_passwords import restore_passwords
from catalog.secrets import seal_fields
from pao.core.names import MASK
from pao.core.passwords import PasswordFields
from pao.runtime.crypto import SecretBox, SecretUnreadableError, generate_key

Row = dict[str, Any]
BEFORE = [{"name": "a", "team": "x", "key": "one"}, {"name": "b", "team": "x", "key": "two"}]


def users(*unique: str) -> dict[str, FieldDefinition]:
    inner = [
        {"id": "name", "type": "string"},
        {"id": "team", "type": "string"},
        {"id": "key", "type": "password"},
    ]
    document = {"id": "users", "type": "list", "fields": inner, "uniqueBy": list(unique)}
    return {"users": FieldDefinition.model_validate(document)}


def row(name: str, team: str = "x", key: str = MASK) -> Row:
    return {"name": name, "team": team, "key": key}


@pytest.mark.parametrize(
    ("unique", "rows", "keys"),
    [
        ((), [row("b"), row("a")], ["two", "one"]),
        ((), [row("b", "y")], [MASK]),
        (("name",), [row("b", "y"), row("c")], ["two", MASK]),
        ((), [row("a", key="new"), {"name": "b", "team": "x"}], ["new", None]),
    ],
    ids=["moved", "changed", "named", "entered or left out"],
)
def test_stars_stand_for_the_password_of_the_row_that_is_recognised(
    unique: tuple[str, ...], rows: list[Row], keys: list[str | None]
) -> None:
    found = restore_passwords(users(*unique), {"users": BEFORE}, {"users": rows})
    assert [one.get("key") for one in found["users"]] == keys


def test_rows_that_nothing_tells_apart_keep_no_password() -> None:
    before = [row("a", key="one"), row("a", key="two")]
    found = restore_passwords(users(), {"users": before}, {"users": [row("a")]})
    assert found["users"] == [row("a")]


def test_a_sealed_password_opens_in_its_own_row_only() -> None:
    box = SecretBox(f"k1:{generate_key()}")
    passwords = PasswordFields(in_rows={"users": frozenset({"key"})})
    sealed = seal_fields(box, "r", {"users": BEFORE}, passwords)["users"]
    assert box.open(sealed[1]["key"], context="request:r:field:users[1].key") == "two"
    assert [(one["name"], one["team"]) for one in sealed] == [("a", "x"), ("b", "x")]
    with pytest.raises(SecretUnreadableError):
        box.open(sealed[1]["key"], context="request:r:field:users[0].key")
