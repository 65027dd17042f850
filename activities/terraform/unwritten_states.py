"""States that their backend rejected: written back before anything else may run.

What is not a whole state, is older than the backend's, or belongs to another place is never
written. The file then stays where it is, and the error says where and what a person can do.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from activities.action_errors import OutcomeUnknownError
from activities.terraform.cleanup import StateLocation
from activities.terraform.process import CommandResult
from activities.terraform.state import StateResource, resources_in_file
from activities.terraform.state_rescue import DamagedStateError, read_state
from pao.core.errors import ErrorCode
from pao.core.failure_classes import BROKEN, CONFLICT, NOT_SET, classify_report

Call = Callable[..., Awaitable[tuple[CommandResult, bytes]]]
"""Runs Terraform with these arguments in the module; returns its result and output."""


async def write_back(
    file: Path, call: Call, *, readable_copy: Callable[[Path], Path], location: StateLocation
) -> None:
    """Write a kept state to its backend; raises OutcomeUnknownError."""
    state = await _read_whole(file)
    ended, output = await call("state", "pull")
    if ended.code != 0:
        raise unwritten_error(file, ended.errors, state=state, location=location)
    if not _is_written(file, state, output, location=location):
        ended, _ = await call("state", "push", str(await asyncio.to_thread(readable_copy, file)))
        if ended.code != 0:
            raise unwritten_error(file, ended.errors, state=state, location=location)


def set_aside_if_damaged(local: Path, kept: Iterable[Path]) -> Path | None:
    """Move a truncated file of the backend ``local`` out of the way of a whole state of it.

    A full disk leaves both. Returns where it is then; None where nothing had to be moved.
    """
    if not any(_is_whole(file) for file in kept) or not local.is_file() or _is_whole(local):
        return None
    number = 1
    while (aside := local.with_name(f"{local.name}.damaged-{number}")).exists():
        number += 1
    return local.rename(aside)


async def _read_whole(file: Path) -> dict[str, Any]:
    try:
        return read_state(await asyncio.to_thread(file.read_bytes))
    except (DamagedStateError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise OutcomeUnknownError(
            "Terraform has made changes whose state could not be written to its backend, and the "
            f"file in which it was kept on this worker, {file}, is damaged: {reason}. It was not "
            "written anywhere, and nothing else was done. Compare what exists with the state in "
            "the backend (terraform state list), import what is missing there, move that file "
            "away, then retry.",
            code=ErrorCode.EXTERNAL_SERVICE_ERROR,
            judged=CONFLICT,
        ) from error


def _is_written(
    file: Path, state: dict[str, Any], output: bytes, *, location: StateLocation
) -> bool:
    """Return whether the backend has this state; raises if it has another or newer one."""
    if is_no_state(output):
        return False
    try:
        there = read_state(output)
    except DamagedStateError as error:
        raise unwritten_error(file, str(error), state=state, location=location) from error
    if there["lineage"] == state["lineage"] and there["serial"] < state["serial"]:
        return False
    if there == state:
        return True
    how = (
        f"the same history, and with serial {there['serial']} is not older than the file's "
        f"{state['serial']}"
        if there["lineage"] == state["lineage"]
        else "another history (lineage)"
    )
    raise OutcomeUnknownError(
        f"A state of an earlier attempt is kept on this worker in {file}, for its backend had not "
        f"taken it. Meanwhile {location} has a state that has {how}; nothing was written. "
        "Compare both (terraform state list), import into the one in the backend what only the "
        "file has, move the file away, then retry.",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        judged=CONFLICT,
        partial=_partial(state, location),
    )


def is_no_state(output: bytes) -> bool:
    """Return whether a backend has no state: Terraform then reports one without a lineage."""
    if not output.strip():
        return True
    with contextlib.suppress(ValueError, AttributeError):
        read = json.loads(output)
        return not read.get("lineage") and not read.get("resources")
    return False


def unwritten_error(
    kept: Path, errors: str, *, state: dict[str, Any] | None, location: StateLocation
) -> OutcomeUnknownError:
    """Return the error of a state that is kept in a file, for its backend does not take it."""
    return OutcomeUnknownError(
        "Terraform has made changes, but their state could not be written to its backend. It is "
        f"kept on this worker in {kept}. Do not retry elsewhere before it is written: repair the "
        "backend and retry on this worker, which writes it first, or run terraform state push "
        f"with that file. {errors}",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        judged=classify_report(errors, otherwise=BROKEN),
        partial=_partial(state, location) if state else (),
    )


def lost_error(
    state: dict[str, Any], reason: str, *, location: StateLocation
) -> OutcomeUnknownError:
    """Return the error of a state that could be written nowhere at all; what it has is listed."""
    return OutcomeUnknownError(
        "Terraform has made changes, but their state could be written neither to its backend nor "
        f"to a file on this worker ({reason}). A retry would make everything again: free space, "
        f"then import what is listed here into {location} (terraform import), or remove it.",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        judged=NOT_SET,
        partial=_partial(state, location),
    )


def elsewhere_error(file: Path, *, location: StateLocation) -> OutcomeUnknownError:
    """Return the error of a state that an earlier attempt left for another place."""
    return OutcomeUnknownError(
        "An earlier attempt of this action has made changes in another module, backend or "
        f"workspace than {location}, and their state is kept on this worker in {file}. Nothing "
        "was done. Retry with the values of that attempt, which writes it first, or write it by "
        "hand with terraform state push and move the file away.",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        judged=CONFLICT,
    )


def read_kept(file: Path) -> dict[str, Any] | None:
    """Return the state in a file; None if it is not whole."""
    try:
        return read_state(file.read_bytes())
    except (DamagedStateError, OSError):
        return None


def _is_whole(file: Path) -> bool:
    return read_kept(file) is not None


def _partial(state: dict[str, Any], location: StateLocation) -> list[Any]:
    there: list[StateResource] = resources_in_file(state)
    return [resource.left_behind(location) for resource in there]
