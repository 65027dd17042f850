"""What a request keeps of its item."""

from catalog.document_kinds import parse_definition
from catalog.planning import snapshot_of
from tests.support.requests import item


def test_documentation_stays_in_the_catalog() -> None:
    definition = item()
    definition["presentation"]["documentation"] = "# Long\n\ntext"
    kept = snapshot_of(parse_definition(definition), definition, None).definition
    assert "documentation" not in kept["presentation"]
    assert kept["presentation"]["form"] == definition["presentation"]["form"]
    assert definition["presentation"]["documentation"]
