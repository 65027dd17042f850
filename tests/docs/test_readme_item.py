"""The first thing that a reader of the README copies: the catalog item is valid as it stands."""

from activities.registry import action_schemas
from catalog.validation import validate
from tests.support.pages import ROOT, blocks


def test_the_item_of_the_readme_has_no_finding() -> None:
    [item] = [block for block in blocks(ROOT / "README.md") if block.startswith("schemaVersion")]
    result = validate(item, file="network/network-dns-record.yaml", known_actions=action_schemas())
    assert result.item is not None
    assert result.findings == ()
