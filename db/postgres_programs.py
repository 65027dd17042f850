"""Postgres' own programs, run on a database; a password is in their environment only."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class ProgramError(Exception):
    """A program is missing or has failed; the message says why, without any password."""


async def start_program(
    program: str,
    url: str,
    *arguments: str,
    programs: Path | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
) -> asyncio.subprocess.Process:
    """Start a program on the database at ``url``: of the folder ``programs``, else of PATH."""
    try:
        return await asyncio.create_subprocess_exec(
            program if programs is None else programs / program,
            *arguments,
            env=_environment(url),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
            stdout=asyncio.subprocess.DEVNULL if stdout is None else stdout,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise ProgramError(
            f"There is no {program} on PATH: install the client programs of Postgres"
        ) from error


def failure(program: str, said: bytes) -> ProgramError:
    """Return the error for a program that has failed, with the first thing it complained about."""
    lines: Sequence[str] = said.decode(errors="replace").strip().splitlines()
    errors = [line for line in lines if "ERROR" in line or "error:" in line]
    return ProgramError(f"{program} failed: {(errors or lines or ['it said nothing'])[0]}")


def _environment(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        **{_OPTIONS[name]: value for name, value in parse_qsl(parts.query) if name in _OPTIONS},
    }
