"""Where the passwords are among the values of a form."""

from pao.core.passwords import PasswordFields, passwords_of

FORM = {
    "groups": [
        {
            "id": "main",
            "fields": [
                {"id": "name", "type": "string"},
                {"id": "root", "type": "password"},
                {
                    "id": "users",
                    "type": "list",
                    "fields": [
                        {"id": "login", "type": "string"},
                        {"id": "initial", "type": "password"},
                    ],
                },
                {"id": "disks", "type": "list", "fields": [{"id": "size", "type": "integer"}]},
            ],
        },
        {"id": "more", "fields": [{"id": "pin", "type": "password"}]},
    ]
}
FOUND = PasswordFields(frozenset({"root", "pin"}), {"users": frozenset({"initial"})})
VALUES = {
    "name": "db",
    "root": "secret",
    "users": [{"login": "dana", "initial": "first"}, {"login": "ada"}, "no row"],
}


def test_a_document_s_passwords_are_those_of_its_form_and_of_its_lists() -> None:
    assert passwords_of({"presentation": {"form": FORM}}) == FOUND
    assert FOUND.holders == {"root", "pin", "users"}
    for without in ({}, {"presentation": None}, {"presentation": {"form": {"groups": None}}}):
        assert passwords_of(without) == PasswordFields()


def test_each_password_is_changed_by_its_way_and_nothing_else_is() -> None:
    assert FOUND.replace(VALUES, lambda way, value: f"{way}={value}") == {
        "name": "db",
        "root": "root=secret",
        "users": [{"login": "dana", "initial": "users[0].initial=first"}, *VALUES["users"][1:]],
    }
    assert FOUND.replace({"name": "db"}, lambda way, value: f"{way}{value}") == {"name": "db"}
