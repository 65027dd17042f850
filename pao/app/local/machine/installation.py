"""Installing, upgrading and removing the services of one machine."""

import asyncio
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from pao.app.local.machine import units
from pao.app.local.machine.account import acting_as, make_account
from pao.app.local.machine.layout import Place
from pao.app.local.machine.settings_files import environment, write_settings
from pao.app.local.machine.systemd import Systemd, write_units
from pao.app.local.postgres_files import installed_programs
from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter
from pao.app.local.restored import is_restored
from pao.app.local.temporal_binary import find_or_build

READY_SECONDS = 180.0
POLL_SECONDS = 0.5
ROOT = "root"
NOT_CLEANED = 6
"""The exit code of a `pao backup` that is complete, beside older ones that it could not remove."""

Tell = Callable[[str], None]


def install(place: Place, tell: Tell) -> list[str]:
    """Write settings and units and start what can be; returns what the settings still lack.

    A repeat restarts what it changed, and PAO if its settings have changed. Raises LocalError.
    """
    _check(place)
    make_account(place)
    with acting_as(place):
        write_settings(place)
        _temporal(place)
    systemd = Systemd(of_user=place.account is None)
    changed = write_units(place.units, units.unit_files(place))
    systemd.reload()
    tell(f"{len(changed)} units were written to {place.units}")
    systemd.enable(units.ENABLED)
    for unit in units.SERVERS:
        systemd.run(unit, again=unit in changed)
    if missing := _missing(place):
        return missing
    systemd.run(units.TIMER, again=False)
    _run_pao(place, systemd)
    return []


def upgrade(place: Place, tell: Tell) -> None:
    """Replace the PAO that runs by this one, if it can go on with all open requests.

    Postgres and Temporal go on. Raises LocalError; before the backup nothing is changed.
    """
    if not units.is_ours(place.units / units.WORKER):
        raise LocalError(f"Nothing is installed in {place.units}: use `pao install`")
    _check(place)
    if missing := _missing(place):
        raise LocalError("The settings do not fit this version:\n" + "\n".join(missing))
    try:
        tell("Replaying open requests with this version")
        _pao(place, "replay-gate")
        tell("Backing up")
        _back_up(place, tell)
    except LocalError as error:
        raise LocalError(f"Nothing was changed. {error}") from error
    with acting_as(place):
        write_settings(place)
    write_units(place.units, units.unit_files(place))
    systemd = Systemd(of_user=place.account is None)
    systemd.reload()
    tell("Migrating; then worker and API are replaced")
    _run_pao(place, systemd)


def uninstall(place: Place) -> list[str]:
    """End and remove the units that are ours; return their names. The folder stays."""
    found = [name for name in units.unit_files(place) if units.is_ours(place.units / name)]
    systemd = Systemd(of_user=place.account is None)
    systemd.remove(reversed(found))
    for name in found:
        (place.units / name).unlink()
    systemd.reload()
    return found


def _check(place: Place) -> None:
    """Refuse what would fail later: paths that units cannot hold, data of another Postgres."""
    for path in (place.home.folder, Path(sys.executable)):
        if re.search(r"[^\w./+:@-]", str(path)):
            raise LocalError(f"{path} cannot stand in a unit: use a path without blanks")
    mine = _major(installed_programs())
    file = place.home.postgres / "data" / "PG_VERSION"
    with suppress(FileNotFoundError):
        theirs = file.read_text().strip()
        if theirs != mine:
            raise LocalError(
                f"The data are of Postgres {theirs}, and this version brings {mine}: back up with"
                " the old version (pao backup --home), and restore with this one"
            )


def _major(programs: Path) -> str:
    done = subprocess.run(  # noqa: S603 -- a program of the wheel
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[-1].split(".")[0]


def _temporal(place: Place) -> None:
    """Get the program into the folder, where its service may read it."""
    given = {**os.environ, "PAO_CACHE": str(place.cache)}
    find_or_build(ProgressReporter(), given)


def _missing(place: Place) -> list[str]:
    """Return what the settings lack, in the words of `pao config check`."""
    from pao.settings import ConfigurationError, load_settings  # noqa: PLC0415 -- pydantic: 0.3 s

    found: dict[str, None] = {}
    for process in ("api", "worker"):
        try:
            load_settings(environment(place), process=process)
        except ConfigurationError as error:
            found |= dict.fromkeys(error.problems)
    return list(found)


def _back_up(place: Place, tell: Tell) -> None:
    """Back up the folder.

    Older backups that cannot be removed do not stop the upgrade and are reported.
    """
    arguments = ("backup", str(place.backups), "--home", str(place.home.folder))
    if said := _pao(place, *arguments, also=NOT_CLEANED):
        tell(said)


def _pao(place: Place, *arguments: str, also: int = 0) -> str:
    """Run a command of this version with the settings of the services, as their account.

    ``also`` is an exit code that is no failure either; returns what was said on standard error.
    """
    user = place.account if os.geteuid() == 0 and place.account != ROOT else None
    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-P", "-m", "pao", *arguments],
        env={**environment(place), "PAO_BUILD_ID": place.build_id},
        cwd=place.home.folder,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, also}:
        said = (done.stdout + done.stderr).strip()
        raise LocalError(f"pao {' '.join(arguments[:2])} failed:\n{said}")
    return done.stderr.strip()


def _run_pao(place: Place, systemd: Systemd) -> None:
    """Have migration, worker and API run as their units and settings are now."""
    digest = hashlib.sha256()
    for name in units.PAO:
        digest.update((place.units / name).read_bytes())
    for file in (place.machine_file, place.settings_file, place.owner_file):
        digest.update(file.read_bytes())
    stamp, now = place.home.folder / "applied", digest.hexdigest()
    again = not stamp.exists() or stamp.read_text() != now
    # First the schema: old processes work with a newer one. The worker ends what it has in hand.
    for unit in units.PAO:
        if unit == units.API:
            _rebuild(place)
        systemd.run(unit, again=again)
    _wait_until_ready(place)
    with acting_as(place):
        stamp.write_text(now)


def _rebuild(place: Place) -> None:
    """Have Temporal tell a restored database what it lacks, once the worker answers."""
    if not asyncio.run(is_restored(environment(place)["DATABASE_URL"])):
        return
    limit = time.monotonic() + READY_SECONDS
    while True:
        try:
            _pao(place, "db", "rebuild")
        except LocalError:
            if time.monotonic() > limit:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return


def _wait_until_ready(place: Place) -> None:
    url = f"{place.api_url}/api/v1/health/ready"
    limit, said = time.monotonic() + READY_SECONDS, "the API does not answer"
    with httpx.Client(trust_env=False, timeout=10.0) as client:
        while time.monotonic() < limit:
            with suppress(httpx.TransportError, ValueError):
                answer = client.get(url)
                if answer.is_success:
                    return
                said = "; ".join(answer.json()["problems"])
            time.sleep(POLL_SECONDS)
    raise LocalError(f"PAO is not ready: {said}. Look at: journalctl -u pao-api -u pao-worker")
