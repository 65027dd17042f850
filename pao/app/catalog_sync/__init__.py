"""Brings the catalog from its source into Postgres, from which the API serves it."""

from pao.app.catalog_sync.sync import CatalogSync
from pao.core.payloads.catalog import SyncInput, SyncReport

__all__ = ["CatalogSync", "SyncInput", "SyncReport"]
