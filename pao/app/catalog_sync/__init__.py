"""The catalog from its source into Postgres; what is served from there is the API's."""

from pao.app.catalog_sync.sync import CatalogSync
from pao.core.payloads.catalog import SyncInput, SyncReport

__all__ = ["CatalogSync", "SyncInput", "SyncReport"]
