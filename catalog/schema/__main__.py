"""Writes the published JSON Schemas anew: ``python -m catalog.schema``."""

from catalog.schema import ITEM_FILE, item_schema, written

ITEM_FILE.write_text(written(item_schema()), encoding="utf-8")
