"""`pao keys create, list, revoke`: access keys of the service, directly on the database.

Anyone with the database and the encryption keys may run it: when the first key is created, there is
no caller yet whose rights the API could check.
"""

import asyncio
import getpass
import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from pao.app.cli.configuration import settings_for
from pao.app.cli.context import CommandContext, command
from pao.app.cli.database_errors import database_errors
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.terminal import age, clean, local_time
from pao.core.durations import moment_after
from pao.core.names import NAME_RULE, USER_OR_TEAM
from pao.core.timestamps import timestamp

if TYPE_CHECKING:
    from api.keys.resealing import ResealReport
    from db.repositories.access_keys import (
        AccessKeysRepository,
        NewAccessKey,
        StoredAccessKey,
    )

T = TypeVar("T")

_NOTE_LENGTH = 200

app = typer.Typer(no_args_is_help=True, help="Access keys (DATABASE_URL, PAO_ENCRYPTION_KEYS).")


@command(app, "create")
def create(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    user: Annotated[str, typer.Option(help="User that the key identifies.")],
    team: Annotated[list[str] | None, typer.Option(help="A team of the user; repeatable.")] = None,
    email: Annotated[str | None, typer.Option(help="Address of the user.")] = None,
    expires_in: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Expire the key after 12h, 90d, ...")
    ] = None,
    note: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Only if there is no access key yet.")
    ] = False,
) -> None:
    """Create an access key; its secret is shown only once and can never be read again."""
    _check_names(user, *(team or ()))
    expires_at = _expiry(expires_in)
    _check_note(note)
    settings = settings_for("keys", os.environ)

    from api.auth.keys import create_key  # noqa: PLC0415 -- SQLAlchemy and more: 0.5 s
    from db.repositories.access_keys import NewAccessKey  # noqa: PLC0415 -- as above
    from pao.app.assembly import secret_box  # noqa: PLC0415 -- as above

    new_key = create_key(secret_box(settings))
    stored = NewAccessKey(
        access_key_id=new_key.access_key_id,
        sealed_secret=new_key.sealed_secret,
        user_id=user,
        email=email,
        teams=tuple(team or ()),
        created_by=_operator(),
        expires_at=expires_at,
        note=note,
    )
    if not _on_keys(lambda keys: _insert(keys, stored, only_first=if_none)):
        cli.show({"created": False}, lambda: cli.note("There is already an access key."))
        return
    document = {
        "accessKeyId": new_key.access_key_id,
        "secretAccessKey": new_key.secret,
        "user": user,
        "teams": list(stored.teams),
        "expiresAt": _timestamp_text(expires_at),
    }
    cli.show(document, lambda: _print_new(cli, document))


@command(app, "list")
def list_keys(
    cli: CommandContext,
    *,
    user: Annotated[str | None, typer.Option(help="Only of this user.")] = None,
) -> None:
    """List access keys, the oldest first; secrets are never shown."""
    found = _on_keys(lambda keys: keys.list(user_id=user))
    document = {"data": [_as_document(key) for key in found]}
    empty = "No access keys. `pao keys create --user NAME` makes one."
    cli.show_table(document, document["data"], _KEYS, empty=empty)


@command(app, "revoke")
def revoke(
    cli: CommandContext,
    *,
    key_ids: Annotated[
        list[str] | None, typer.Argument(metavar="KEY_ID", help="Ids of keys.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="All keys of this user, instead.")] = None,
) -> None:
    """Revoke access keys at once, in every process; all of the named ones or none."""
    if bool(key_ids) == bool(user):
        raise CliError(
            "Name the keys, or a user with --user",
            exit_code=ExitCode.USAGE,
            hint="`pao keys list` shows both.",
        )

    async def work(keys: "AccessKeysRepository") -> list[dict[str, Any]]:
        chosen = await _ids_of(keys, user) if user else await _require_existing(keys, key_ids or [])
        by = _operator()
        return [
            {"accessKeyId": one, "wasRevoked": not await keys.revoke(one, revoked_by=by)}
            for one in chosen
        ]

    document = {"data": _on_keys(work)}
    cli.show(document, lambda: _print_revoked(cli, document["data"]))


async def _insert(
    keys: "AccessKeysRepository", stored: "NewAccessKey", *, only_first: bool
) -> bool:
    """Store a key; return whether that was done."""
    if only_first and await keys.list():
        return False
    await keys.insert(stored)
    return True


async def _ids_of(keys: "AccessKeysRepository", user: str) -> list[str]:
    found = [key.access_key_id for key in await keys.list(user_id=user)]
    if not found:
        raise CliError(
            f"{user!r} has no access keys",
            exit_code=ExitCode.NOT_FOUND,
            hint="`pao keys list` shows all.",
        )
    return found


async def _require_existing(keys: "AccessKeysRepository", key_ids: list[str]) -> list[str]:
    for key_id in key_ids:
        if await keys.find(key_id) is None:
            raise CliError(
                f"There is no access key {key_id!r}; nothing was revoked",
                exit_code=ExitCode.NOT_FOUND,
                hint="`pao keys list` shows all.",
            )
    return key_ids


@command(app, "rotate-encryption")
def rotate_encryption(cli: CommandContext) -> None:
    """Reseal access keys and drafts with the first key of PAO_ENCRYPTION_KEYS.

    First put the new key in front in every process. Needs the owner's
    PAO_MIGRATION_DATABASE_URL. Exits with 1 if something cannot be read with any key.
    """
    from api.keys.resealing import reseal  # noqa: PLC0415 -- see `create`
    from db.session import Database, PoolSettings  # noqa: PLC0415 -- see `create`
    from pao.app.assembly import database_password, secret_box  # noqa: PLC0415 -- see `create`

    settings = settings_for("database", os.environ)
    if settings.auth.encryption_keys is None:
        raise CliError(
            "PAO_ENCRYPTION_KEYS is missing",
            exit_code=ExitCode.USAGE,
            hint="Set it as for API and worker: the new key first, the old one behind it.",
        )
    box, url = secret_box(settings), settings.database.owner_url.get_secret_value()

    async def run() -> "ResealReport":
        pool = PoolSettings(max_idle=1, max_open=1, statement_timeout=3600, application_name="pao")
        opened = Database(url, pool=pool, password=database_password(settings, url))
        try:
            return await reseal(opened, box, by=_operator())
        finally:
            await opened.close()

    with database_errors("PAO_MIGRATION_DATABASE_URL", "DATABASE_URL"):
        done = asyncio.run(run())
    cli.show(_resealed_document(done), lambda: _print_resealed(cli, done))
    if done.unreadable:
        raise typer.Exit(ExitCode.FAILED)


def _resealed_document(done: "ResealReport") -> dict[str, Any]:
    return {
        "active": done.active,
        "accessKeys": done.access_keys,
        "drafts": done.drafts,
        "unreadable": done.unreadable,
        "requests": {
            key_id: {"open": held.open, "finished": held.finished}
            for key_id, held in done.held.items()
        },
    }


def _print_resealed(cli: CommandContext, done: "ResealReport") -> None:
    count = f"{done.access_keys} access keys and {done.drafts} drafts"
    text = f"✓ {count} were sealed with {done.active}."
    cli.out.print(Text(text, style="green"))
    for one in done.unreadable:
        cli.out.print(Text(f"✗ {clean(one)}", style="red"))
    for key_id, held in done.held.items():
        cli.note(
            f"{held.open} open and {held.finished} finished requests still need {key_id}: keep it"
            " after the active key until they and their workflows are gone."
        )


def _expiry(span: str | None) -> datetime | None:
    """Return when a key that is created now expires."""
    if span is None:
        return None
    end = moment_after(span, datetime.now(UTC))
    if end is None:
        raise CliError(
            f"--expires-in {span!r} is not a duration",
            exit_code=ExitCode.USAGE,
            hint="Write a number above zero with its unit: 12h, 90d or 4w.",
        )
    return end


def _check_note(note: str | None) -> None:
    if note is not None and not 1 <= len(note) <= _NOTE_LENGTH:
        raise CliError(f"A note has 1 to {_NOTE_LENGTH} characters", exit_code=ExitCode.USAGE)


def _check_names(*names: str) -> None:
    """Raise for names that would be meaningless as owners and in the audit trail."""
    for name in names:
        if re.fullmatch(USER_OR_TEAM, name) is None:
            raise CliError(
                f"{name!r} is not a valid user or team name",
                exit_code=ExitCode.USAGE,
                hint=f"Use {NAME_RULE}",
            )


def _operator() -> str:
    return f"pao keys ({getpass.getuser()})"


def _time_cells(
    name: str,
) -> tuple[Callable[[dict[str, Any]], str], Callable[[dict[str, Any]], str]]:
    """Return the cells of a time of a key: as an age, and as a date; a missing one is never."""
    return (
        lambda row: age(row[name]) if row[name] else "never",
        lambda row: local_time(row[name])[:10] if row[name] else "never",
    )


def _state_of(row: dict[str, Any]) -> Text:
    return Text(row["state"], "green" if row["state"] == "valid" else "bright_black")


_KEYS: Table[dict[str, Any]] = Table(
    (
        Column("KEY", lambda row: row["accessKeyId"]),
        Column("USER", lambda row: row["user"]),
        Column("STATE", _state_of),
        Column("CREATED", *_time_cells("createdAt"), drop_order=1),
        Column("LAST USED", *_time_cells("lastUsedAt"), drop_order=4),
        Column("EXPIRES", *_time_cells("expiresAt"), drop_order=5),
        Column("TEAMS", lambda row: ", ".join(row["teams"]), drop_order=2, fit=Fit.CUT),
        Column("NOTE", lambda row: row["note"], drop_order=3, fit=Fit.CUT),
        Column("CREATED BY", lambda row: row["createdBy"], wide=True),
    ),
    ident=lambda row: row["accessKeyId"],
)


def _on_keys(work: Callable[["AccessKeysRepository"], Awaitable[T]]) -> T:
    """Do work on the stored keys in one transaction."""
    settings = settings_for("keys", os.environ)

    from db.repositories.access_keys import AccessKeysRepository  # noqa: PLC0415 -- see `create`
    from pao.app.assembly import database  # noqa: PLC0415 -- see `create`

    async def run() -> T:
        opened = database(settings, application_name="pao-keys")
        try:
            async with opened.unit_of_work() as session:
                return await work(AccessKeysRepository(session))
        finally:
            await opened.close()

    with database_errors("DATABASE_URL"):
        return asyncio.run(run())


def _as_document(key: "StoredAccessKey") -> dict[str, Any]:
    from api.keys.service import key_answer  # noqa: PLC0415 -- see `create`

    return key_answer(key, datetime.now(UTC)).model_dump(mode="json")


def _timestamp_text(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def _print_new(cli: CommandContext, document: dict[str, Any]) -> None:
    # Lines for a shell to source, so that the secret need not be copied by hand.
    cli.out.print(Text(f"export PAO_ACCESS_KEY_ID={document['accessKeyId']}"), soft_wrap=True)
    cli.out.print(
        Text(f"export PAO_SECRET_ACCESS_KEY={document['secretAccessKey']}"), soft_wrap=True
    )
    cli.note("The secret is shown only once; store it safely.")


def _print_revoked(cli: CommandContext, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        text = "was already revoked" if row["wasRevoked"] else "revoked"
        cli.out.print(Text(f"✓ {clean(row['accessKeyId'])} {text}.", style="green"))
