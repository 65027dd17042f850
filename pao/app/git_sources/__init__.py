"""Catalogs in Git: the forges they are read from, and what the forges are told about them."""
