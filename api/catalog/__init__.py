"""Browsing the catalog over HTTP."""
