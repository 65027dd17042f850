"""Writes the published JSON Schemas anew: ``python -m catalog.schema``."""

from catalog.schema import BUNDLE_FILE, ITEM_FILE, bundle_schema, item_schema, written

ITEM_FILE.write_text(written(item_schema()), encoding="utf-8")
BUNDLE_FILE.write_text(written(bundle_schema()), encoding="utf-8")
