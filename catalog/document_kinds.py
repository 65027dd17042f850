"""The kinds of documents, and how plain data becomes the right one."""

from collections.abc import Mapping
from typing import Any

from catalog.bundle import CatalogBundle
from catalog.lists import CatalogList
from catalog.model import CatalogDocument, CatalogItem

KINDS: Mapping[str, type[CatalogDocument]] = {
    "CatalogItem": CatalogItem,
    "CatalogBundle": CatalogBundle,
    "CatalogList": CatalogList,
}


def parse_definition(definition: Mapping[str, Any]) -> CatalogDocument:
    """Make the item or bundle of a definition that validation has let through.

    Raises pydantic's ``ValidationError`` for other data; of an unknown kind an item is expected.
    """
    kind = KINDS.get(str(definition.get("kind")), CatalogItem)
    return kind.model_validate(definition)
