"""`pao keys create, list, revoke`: access keys, directly on the database."""

import typer

app = typer.Typer(no_args_is_help=True, help="Access keys (DATABASE_URL, PAO_ENCRYPTION_KEYS).")
