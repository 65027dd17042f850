"""Runs one command under the guard process, with bounded output and time."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from activities.options.terraform import OsAccount
from activities.terraform.os_account import SharedPaths
from activities.terraform.process_guard import KILLED, NOT_STARTED
from pao.clients.jira import Deadline

PROCESS_GUARD = Path(__file__).with_name("process_guard.py")
CHUNK = 64 * 1024
LINE_LIMIT = 8 * 1024**2
"""Bytes of one line; what follows in a longer one is dropped. A whole state can be in one."""
TAIL_LIMIT = 32 * 1024
"""Bytes of plain text that are kept for an error message: the last ones say why."""
DRAIN_SECONDS = 5.0
MARGIN_SECONDS = 5.0
"""Beyond its grace a guard has this long to end: it only has to wait for a killed process."""

Take = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessContext:
    """Where commands run: folder, environment, and how long they may take to end in order.

    ``private`` is cleared by the guard of a worker that was killed; what is kept of it goes to
    ``unwritten`` under ``name``. ``used`` is inherited by the guard, to say that it still runs.
    ``account`` runs the command, None is the worker's own; it inherits the ``shared_paths``.
    ``cancel_grace`` is the grace of a command that was cancelled, where it differs.
    """

    folder: Path
    private: Path
    unwritten: Path
    name: str
    used: int | None = None
    account: OsAccount | None = None
    shared_paths: SharedPaths | None = None
    environment: Mapping[str, str] = field(repr=False)
    grace: float
    deadline: Deadline
    cancel_grace: Callable[[], float] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How a command ended; ``late`` when it was stopped at the deadline, ``errors`` is stderr.

    ``cut`` if its caller was cancelled.
    """

    code: int
    late: bool
    errors: str
    cut: bool = False

    @property
    def killed(self) -> bool:
        """Whether it had to be killed: its state may be stale or locked."""
        return self.code == KILLED

    @property
    def never_started(self) -> bool:
        """Whether there was nothing to run."""
        return self.code == NOT_STARTED


class CommandCancelledError(asyncio.CancelledError):
    """The caller was cancelled; ``ended`` is how the command has ended."""

    def __init__(self, ended: CommandResult) -> None:
        super().__init__()
        self.ended = ended


async def run(command: list[str], context: ProcessContext, take: Take) -> CommandResult:
    """Run a command and pass each chunk of its output to ``take``; never outlives this call.

    Cancelled, it ends the command in order first, and raises CommandCancelledError. At the deadline
    it does the same, and returns.
    """
    process = await _start(command, context)
    errors = Tail()
    readers = [
        asyncio.create_task(_read(process.stdout, take)),
        asyncio.create_task(_read(process.stderr, errors.take)),
    ]
    late = cut = False
    try:
        late = await _wait(process, readers, context)
    except asyncio.CancelledError:
        cut = True
    finally:
        await _ensure_end(process, _grace(context, cut=cut))
        await _finish(readers)
    ended = CommandResult(code=process.returncode or 0, late=late, errors=errors.text, cut=cut)
    if cut:
        raise CommandCancelledError(ended)
    for reader in readers:
        if not reader.cancelled() and (error := reader.exception()):
            raise error
    return ended


def _grace(context: ProcessContext, *, cut: bool) -> float:
    return context.cancel_grace() if cut and context.cancel_grace else context.grace


async def _start(command: list[str], context: ProcessContext) -> asyncio.subprocess.Process:
    guard = [
        sys.executable,
        "-I",
        "-S",
        str(PROCESS_GUARD),
        str(context.grace),
        str(context.private),
    ]
    guard += [str(context.unwritten), context.name]
    descriptors = (
        context.shared_paths.descriptors if context.shared_paths and context.account else ()
    )
    guard.append(f"{context.account.uid}:{context.account.gid}" if context.account else "")
    guard.append(",".join(map(str, descriptors)))
    used = () if context.used is None else (context.used,)
    return await asyncio.create_subprocess_exec(
        *guard,
        *command,
        cwd=context.folder,
        env=dict(context.environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Ctrl-C in a terminal is for the worker, which then releases the guard.
        start_new_session=True,
        pass_fds=(*used, *descriptors),
        limit=CHUNK,
    )


async def _wait(
    process: asyncio.subprocess.Process, readers: list[asyncio.Task[None]], context: ProcessContext
) -> bool:
    """Wait for the end or the deadline; True for the deadline. A failing reader ends it as well."""
    ending = asyncio.create_task(process.wait())
    waiting: set[asyncio.Task[object]] = {ending, *readers}
    try:
        async with asyncio.timeout(context.deadline.remaining()):
            while not ending.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if any(task.exception() for task in done):
                    return False
    except TimeoutError:
        return True
    finally:
        ending.cancel()
    return False


async def _ensure_end(process: asyncio.subprocess.Process, grace: float) -> None:
    """Release the guard and wait until nothing runs any more, even if cancelled again."""
    if process.returncode is None and process.stdin is not None:
        process.stdin.write(f"{grace}\n".encode())
        process.stdin.close()
    ending = asyncio.create_task(_end(process, grace + MARGIN_SECONDS))
    while not ending.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(ending)


async def _end(process: asyncio.subprocess.Process, seconds: float) -> None:
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _finish(readers: list[asyncio.Task[None]]) -> None:
    """Let the readers drain the pipes; a process that keeps a pipe open cannot block us."""
    _, unfinished = await asyncio.wait(readers, timeout=DRAIN_SECONDS)
    for reader in unfinished:
        reader.cancel()
    if unfinished:
        await asyncio.wait(unfinished)


async def _read(stream: asyncio.StreamReader | None, take: Take) -> None:
    while stream is not None and (chunk := await stream.read(CHUNK)):
        await take(chunk)
        # Reading a full buffer never waits, so a flood would starve the heartbeats.
        await asyncio.sleep(0)


class Tail:
    """Keeps the last whole lines of a text: a partial line may contain the end of a secret."""

    def __init__(self) -> None:
        self._tail = b""
        self._cut = False

    async def take(self, chunk: bytes) -> None:
        """Take the next chunk."""
        whole = self._tail + chunk
        self._tail = whole[-TAIL_LIMIT:]
        self._cut = self._cut or len(whole) > TAIL_LIMIT

    @property
    def text(self) -> str:
        """The last lines; an ellipsis before them says that there were more."""
        if not self._cut:
            return self._tail.decode(errors="replace").strip()
        rest = self._tail.partition(b"\n")[2].decode(errors="replace")
        return f"\N{HORIZONTAL ELLIPSIS} {rest.strip()}".rstrip()


class LineReader:
    """Splits chunks into lines and passes them on; a line over the limit is truncated."""

    def __init__(self, take: Callable[[str], Awaitable[None]]) -> None:
        self._take = take
        self._rest = b""
        self._skipping = False

    async def take(self, chunk: bytes) -> None:
        """Take the next chunk."""
        *whole, rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            if not self._skipping:
                await self._take(line[:LINE_LIMIT].decode(errors="replace"))
            self._skipping = False
        self._rest = rest
        if len(rest) > LINE_LIMIT:
            await self.end()
            self._skipping = True

    async def end(self) -> None:
        """Pass on the last line without a line end."""
        rest, self._rest = self._rest, b""
        if rest and not self._skipping:
            await self._take(rest[:LINE_LIMIT].decode(errors="replace"))


class BoundedOutput:
    """Keeps all of an output up to a limit; beyond it ``too_large`` is set and nothing is kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()
        self.too_large = False

    async def take(self, chunk: bytes) -> None:
        """Take the next chunk."""
        if len(self._content) + len(chunk) > self._limit:
            self.too_large = True
            self._content.clear()
        if not self.too_large:
            self._content += chunk

    @property
    def content(self) -> bytes:
        """The output so far."""
        return bytes(self._content)
