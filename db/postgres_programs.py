"""Runs Postgres's client programs on a database; passwords are only in their environment."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from db.urls import libpq_environment


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
    """Start a program on the database at ``url``, from the folder ``programs`` or PATH."""
    try:
        return await asyncio.create_subprocess_exec(
            program if programs is None else programs / program,
            *arguments,
            env={**os.environ, **libpq_environment(url)},
            stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
            stdout=asyncio.subprocess.DEVNULL if stdout is None else stdout,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise ProgramError(
            f"There is no {program} on PATH: install the client programs of Postgres"
        ) from error


def program_failure(program: str, stderr: bytes) -> ProgramError:
    """Return the error for a failed program, with its first error message."""
    lines: Sequence[str] = stderr.decode(errors="replace").strip().splitlines()
    errors = [line for line in lines if "ERROR" in line or "error:" in line]
    return ProgramError(f"{program} failed: {(errors or lines or ['it said nothing'])[0]}")
