"""`pao keys create, list, revoke`: access keys of the service, directly on the database.

Who may run it is who has the database and the encryption keys: there is no caller yet whose
rights the API could check when the first key is made.
"""

import asyncio
import getpass
import os
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from pao.cli.configuration import settings_for
from pao.cli.context import Cli, command
from pao.cli.errors import CliError, ExitCode
from pao.cli.terminal import clean, local_time, make_table

if TYPE_CHECKING:
    from db.repositories.access_keys import AccessKeysRepository, StoredAccessKey

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Access keys (DATABASE_URL, PAO_ENCRYPTION_KEYS).")


@command(app, "create")
def create(
    cli: Cli,
    *,
    user: Annotated[str, typer.Option(help="Whom the key stands for.")],
    team: Annotated[list[str] | None, typer.Option(help="A team of the user; repeatable.")] = None,
    email: Annotated[str | None, typer.Option(help="Address of the user.")] = None,
) -> None:
    """Make an access key; its secret is shown this once and can never be read again."""
    _check_names(user, *(team or ()))
    settings = settings_for("keys", os.environ)

    from api.auth.keys import create_key  # noqa: PLC0415 -- SQLAlchemy and more: 0.5 s
    from db.repositories.access_keys import NewAccessKey  # noqa: PLC0415 -- as above
    from pao.assembly import secret_box  # noqa: PLC0415 -- as above

    made = create_key(secret_box(settings))
    stored = NewAccessKey(
        access_key_id=made.access_key_id,
        sealed_secret=made.sealed_secret,
        user_id=user,
        email=email,
        teams=tuple(team or ()),
        created_by=_operator(),
    )
    _on_keys(lambda keys: keys.insert(stored))
    document = {
        "accessKeyId": made.access_key_id,
        "secretAccessKey": made.secret,
        "user": user,
        "teams": list(stored.teams),
    }
    cli.show(document, lambda: _print_new(cli, document))


@command(app, "list")
def list_keys(
    cli: Cli,
    *,
    user: Annotated[str | None, typer.Option(help="Only of this user.")] = None,
) -> None:
    """List access keys, the oldest first; secrets are never shown."""
    found = _on_keys(lambda keys: keys.list(user_id=user))
    document = {"data": [_as_document(key) for key in found]}
    cli.show(document, lambda: _print_list(cli, document["data"]))


@command(app, "revoke")
def revoke(
    cli: Cli,
    *,
    access_key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="Id of the key.")],
) -> None:
    """Make an access key invalid from now on."""

    async def work(keys: "AccessKeysRepository") -> bool:
        if await keys.find(access_key_id) is None:
            raise CliError(
                f"There is no access key {access_key_id!r}",
                exit_code=ExitCode.NOT_FOUND,
                hint="`pao keys list` shows all.",
            )
        return await keys.revoke(access_key_id, revoked_by=_operator())

    was_valid = _on_keys(work)
    text = "revoked" if was_valid else "had been revoked before"
    cli.show(
        {"accessKeyId": access_key_id, "revoked": True, "wasValid": was_valid},
        lambda: cli.out.print(Text(f"✓ {clean(access_key_id)} {text}.", style="green")),
    )


def _check_names(*names: str) -> None:
    """Refuse names that would own requests and stand in the audit trail without meaning."""
    for name in names:
        if re.fullmatch(r"[\w.@+:/-]{1,100}", name) is None:
            raise CliError(
                f"{name!r} is no name for a user or a team",
                exit_code=ExitCode.USAGE,
                hint="Use 1 to 100 letters, digits and . @ + : / _ -",
            )


def _operator() -> str:
    return f"pao keys ({getpass.getuser()})"


def _on_keys(work: Callable[["AccessKeysRepository"], Awaitable[T]]) -> T:
    """Do work on the stored keys in one transaction."""
    settings = settings_for("keys", os.environ)

    from db.repositories.access_keys import AccessKeysRepository  # noqa: PLC0415 -- see `create`
    from pao.assembly import database  # noqa: PLC0415 -- see `create`

    async def run() -> T:
        opened = database(settings, application_name="pao-keys")
        try:
            async with opened.unit_of_work() as session:
                return await work(AccessKeysRepository(session))
        finally:
            await opened.close()

    return asyncio.run(run())


def _as_document(key: "StoredAccessKey") -> dict[str, Any]:
    from pao.core.payloads import timestamp  # noqa: PLC0415 -- only here

    return {
        "accessKeyId": key.access_key_id,
        "user": key.user_id,
        "email": key.email,
        "teams": list(key.teams),
        "createdAt": timestamp(key.created_at),
        "createdBy": key.created_by,
        "revokedAt": timestamp(key.revoked_at) if key.revoked_at else None,
    }


def _print_new(cli: Cli, document: dict[str, Any]) -> None:
    # Lines to source, so that the secret need not be copied by hand.
    cli.out.print(Text(f"export PAO_ACCESS_KEY_ID={document['accessKeyId']}"), soft_wrap=True)
    cli.out.print(
        Text(f"export PAO_SECRET_ACCESS_KEY={document['secretAccessKey']}"), soft_wrap=True
    )
    cli.note("The secret is shown this once; keep it where secrets are kept.")


def _print_list(cli: Cli, rows: list[dict[str, Any]]) -> None:
    if not rows:
        cli.note("No access keys. `pao keys create --user NAME` makes one.")
        return
    table = make_table("KEY", "USER", "STATE", "CREATED", "TEAMS")
    for row in rows:
        revoked = row["revokedAt"] is not None
        word = Text("revoked" if revoked else "valid", "bright_black" if revoked else "green")
        created, teams = local_time(row["createdAt"]), clean(", ".join(row["teams"]))
        table.add_row(row["accessKeyId"], clean(row["user"]), word, created, teams)
    cli.out.print(table)
