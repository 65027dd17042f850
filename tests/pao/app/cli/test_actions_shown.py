"""How `pao actions show` tells a person what a configuration may hold."""

from typing import Any

import pytest

from pao.app.cli.actions import kind_of
from tests.pao.app.cli.scripted import Pao


def test_the_parts_of_a_configuration_are_shown_with_their_keys(pao: Pao) -> None:
    shown = pao("actions", "show", "rest-api").output
    assert "NoAuthentication | Basic | Bearer" in shown
    assert "ClientCredentials  OAuth 2 client credentials" in shown
    assert "clientSecret" in shown
    assert "array of integer" in shown


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "string"),
        ({"anyOf": [{"$ref": "#/$defs/Look"}, {"type": "null"}]}, "Look"),
        ({"enum": ["GET", "POST"]}, "GET | POST"),
        ({"const": "basic", "type": "string"}, "basic"),
        ({"type": "array", "items": {"type": "integer"}}, "array of integer"),
        ({}, "any"),
    ],
)
def test_a_kind_is_told_in_a_few_words(schema: dict[str, Any], kind: str) -> None:
    assert kind_of(schema) == kind
