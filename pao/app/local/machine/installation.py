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
from pao.app.local.machine.layout import MachineLayout
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

Report = Callable[[str], None]


def install(layout: MachineLayout, report: Report) -> list[str]:
    """Write settings and units and start them; returns what the settings still lack.

    Repeated, it restarts what it changed, and PAO if its settings have changed. Raises LocalError.
    """
    _check(layout)
    make_account(layout)
    with acting_as(layout):
        write_settings(layout)
        _temporal(layout)
    systemd = Systemd(of_user=layout.account is None)
    changed = write_units(layout.units, units.unit_files(layout))
    systemd.reload()
    report(f"{len(changed)} units were written to {layout.units}")
    systemd.enable(units.ENABLED)
    for unit in units.SERVERS:
        systemd.run(unit, again=unit in changed)
    if missing := _missing(layout):
        return missing
    systemd.run(units.TIMER, again=False)
    _run_pao(layout, systemd)
    return []


def upgrade(layout: MachineLayout, report: Report) -> None:
    """Replace the running PAO by this version, if it can continue all open requests.

    Postgres and Temporal keep running. Raises LocalError; before the backup nothing is changed.
    """
    if not units.is_ours(layout.units / units.WORKER):
        raise LocalError(f"Nothing is installed in {layout.units}: use `pao install`")
    _check(layout)
    if missing := _missing(layout):
        raise LocalError("The settings do not fit this version:\n" + "\n".join(missing))
    try:
        report("Replaying open requests with this version")
        _pao(layout, "replay-gate")
        report("Backing up")
        _back_up(layout, report)
    except LocalError as error:
        raise LocalError(f"Nothing was changed. {error}") from error
    with acting_as(layout):
        write_settings(layout)
    write_units(layout.units, units.unit_files(layout))
    systemd = Systemd(of_user=layout.account is None)
    systemd.reload()
    report("Migrating; then worker and API are replaced")
    _run_pao(layout, systemd)


def uninstall(layout: MachineLayout) -> list[str]:
    """Stop and remove our units; return their names. The folder stays."""
    found = [name for name in units.unit_files(layout) if units.is_ours(layout.units / name)]
    systemd = Systemd(of_user=layout.account is None)
    systemd.remove(reversed(found))
    for name in found:
        (layout.units / name).unlink()
    systemd.reload()
    return found


def _check(layout: MachineLayout) -> None:
    """Raise for paths that units cannot contain, and for data of another Postgres version."""
    for path in (layout.home.folder, Path(sys.executable)):
        if re.search(r"[^\w./+:@-]", str(path)):
            raise LocalError(f"{path} cannot be used in a unit: choose one without blanks")
    own_version = _major(installed_programs())
    file = layout.home.postgres / "data" / "PG_VERSION"
    with suppress(FileNotFoundError):
        data_version = file.read_text().strip()
        if data_version != own_version:
            raise LocalError(
                f"The data are of Postgres {data_version}, and this version brings {own_version}: "
                "back up with the old version (pao backup --home), and restore with this one"
            )


def _major(programs: Path) -> str:
    done = subprocess.run(  # noqa: S603 -- a program of the wheel
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[-1].split(".")[0]


def _temporal(layout: MachineLayout) -> None:
    """Put the program into the folder, where its service may read it."""
    given = {**os.environ, "PAO_CACHE": str(layout.cache)}
    find_or_build(ProgressReporter(), given)


def _missing(layout: MachineLayout) -> list[str]:
    """Return what the settings lack, in the words of `pao config check`."""
    from pao.settings import ConfigurationError, load_settings  # noqa: PLC0415 -- pydantic: 0.3 s

    found: dict[str, None] = {}
    for process in ("api", "worker"):
        try:
            load_settings(environment(layout), process=process)
        except ConfigurationError as error:
            found |= dict.fromkeys(error.problems)
    return list(found)


def _back_up(layout: MachineLayout, report: Report) -> None:
    """Back up the folder.

    Older backups that cannot be removed do not stop the upgrade and are reported.
    """
    arguments = ("backup", str(layout.backups), "--home", str(layout.home.folder))
    if output := _pao(layout, *arguments, also=NOT_CLEANED):
        report(output)


def _pao(layout: MachineLayout, *arguments: str, also: int = 0) -> str:
    """Run a command of this version with the settings of the services, as their account.

    ``also`` is another exit code of success; returns the output on standard error.
    """
    user = layout.account if os.geteuid() == 0 and layout.account != ROOT else None
    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-P", "-m", "pao", *arguments],
        env={**environment(layout), "PAO_BUILD_ID": layout.build_id},
        cwd=layout.home.folder,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, also}:
        output = (done.stdout + done.stderr).strip()
        raise LocalError(f"pao {' '.join(arguments[:2])} failed:\n{output}")
    return done.stderr.strip()


def _run_pao(layout: MachineLayout, systemd: Systemd) -> None:
    """Run migration, worker and API with their current units and settings."""
    digest = hashlib.sha256()
    for name in units.PAO:
        digest.update((layout.units / name).read_bytes())
    for file in (layout.machine_file, layout.settings_file, layout.owner_file):
        digest.update(file.read_bytes())
    stamp, now = layout.home.folder / "applied", digest.hexdigest()
    again = not stamp.exists() or stamp.read_text() != now
    # First the schema: old processes work with a newer one. The worker finishes running actions.
    for unit in units.PAO:
        if unit == units.API:
            _rebuild(layout)
        systemd.run(unit, again=again)
    _wait_until_ready(layout)
    with acting_as(layout):
        stamp.write_text(now)


def _rebuild(layout: MachineLayout) -> None:
    """Rebuild a restored database from Temporal, once the worker answers."""
    if not asyncio.run(is_restored(environment(layout)["DATABASE_URL"])):
        return
    limit = time.monotonic() + READY_SECONDS
    while True:
        try:
            _pao(layout, "db", "rebuild")
        except LocalError:
            if time.monotonic() > limit:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return


def _wait_until_ready(layout: MachineLayout) -> None:
    url = f"{layout.api_url}/api/v1/health/ready"
    limit, output = time.monotonic() + READY_SECONDS, "the API does not answer"
    with httpx.Client(trust_env=False, timeout=10.0) as client:
        while time.monotonic() < limit:
            with suppress(httpx.TransportError, ValueError):
                answer = client.get(url)
                if answer.is_success:
                    return
                output = "; ".join(answer.json()["problems"])
            time.sleep(POLL_SECONDS)
    raise LocalError(f"PAO is not ready: {output}. Look at: journalctl -u pao-api -u pao-worker")
