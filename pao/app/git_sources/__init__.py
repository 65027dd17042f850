"""Catalogs in Git: sources on forges, and the reports to them."""
