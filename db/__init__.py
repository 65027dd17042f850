"""Postgres: tables, migrations, and all SQL."""
