"""The units of systemd for one machine, as texts."""

import sys
from collections.abc import Mapping
from pathlib import Path

from pao.app.local.machine.layout import Place

POSTGRES, TEMPORAL = "pao-postgres.service", "pao-temporal.service"
MIGRATE, WORKER, API = "pao-migrate.service", "pao-worker.service", "pao-api.service"
BACKUP, TIMER = "pao-backup.service", "pao-backup.timer"
SERVERS = (POSTGRES, TEMPORAL)
PAO = (MIGRATE, WORKER, API)
ENABLED = (*SERVERS, *PAO, TIMER)

_MARK = "# Written by `pao install`, which replaces it: change it by `systemctl edit`.\n"
_RESTART = {"Restart": "always", "RestartSec": "3", "TimeoutStopSec": "60", "KillMode": "mixed"}
# What a service of a user may ask for without rights of its own.
_FOR_ALL = {"NoNewPrivileges": "yes", "UMask": "0077"}
_FOR_SYSTEM = {
    "ProtectSystem": "strict",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "CapabilityBoundingSet": "",
}
_HOMES = (Path("/home"), Path("/root"))


def unit_files(place: Place) -> Mapping[str, str]:
    """Return the text of each unit by its name."""
    local = f"{place.command} machine"
    home = f"--home {place.home.folder}"
    temporal = f"--port {place.temporal_port} --ui-port {place.temporal_ui_port}"
    files = [f"EnvironmentFile={place.machine_file}", f"EnvironmentFile={place.settings_file}"]
    owner = [f"EnvironmentFile={place.owner_file}"]
    # Not "Requires": systemd ends with a unit what requires it, in a restart as well. What waits
    # for the database outlives its restart, and old processes the migration of an upgrade.
    after_servers = {"After": f"{POSTGRES} {TEMPORAL} network-online.target", "Wants": _both()}
    migrated = {"After": f"{MIGRATE} {TEMPORAL}", "Wants": MIGRATE}
    once = {"Type": "oneshot", "RemainAfterExit": "yes"}
    build = [f"Environment=PAO_BUILD_ID={place.build_id}"]
    return {
        POSTGRES: _service(
            place,
            "PAO: Postgres",
            {"Type": "notify", "TimeoutStartSec": "300", **_RESTART},
            f"{local} postgres {home} --port {place.postgres_port}",
        ),
        TEMPORAL: _service(
            place,
            "PAO: Temporal",
            {"Type": "notify", "TimeoutStartSec": "300", "LimitNOFILE": "65536", **_RESTART},
            f"{local} temporal {home} {temporal}",
            [f"Environment=PAO_CACHE={place.cache}"],
        ),
        MIGRATE: _service(
            place, "PAO: migration", once, f"{place.command} db migrate", owner, unit=after_servers
        ),
        WORKER: _service(
            place,
            "PAO: worker",
            {"LimitNOFILE": "8192", **_RESTART},
            f"{place.command} worker",
            [*files, *build],
            unit=migrated,
        ),
        API: _service(
            place,
            "PAO: HTTP API",
            {"LimitNOFILE": "8192", **_RESTART},
            f"{place.command} api",
            [*files, *build],
            unit=migrated,
        ),
        BACKUP: _service(
            place,
            "PAO: backup",
            {"Type": "oneshot"},
            f"{place.command} backup {place.backups} {home}",
            wanted=False,
        ),
        TIMER: f"{_MARK}[Unit]\nDescription=PAO: back up every night\n\n[Timer]\n"
        "OnCalendar=*-*-* 02:30:00\nPersistent=true\nRandomizedDelaySec=10m\n\n"
        "[Install]\nWantedBy=timers.target\n",
    }


def is_ours(file: Path) -> bool:
    """Return whether a unit was written by us."""
    return file.is_file() and file.read_text("utf-8").startswith(_MARK)


def _service(  # noqa: PLR0913 -- the sections of a unit, by name
    place: Place,
    description: str,
    service: Mapping[str, str],
    command: str,
    environment: list[str] | None = None,
    *,
    unit: Mapping[str, str] | None = None,
    wanted: bool = True,
) -> str:
    lines = [f"{_MARK}[Unit]", f"Description={description}"]
    lines += [f"{name}={value}" for name, value in (unit or {}).items()]
    lines += ["", "[Service]"]
    settings = {**service, **_account(place), "WorkingDirectory": str(place.home.folder)}
    lines += [f"{name}={value}" for name, value in settings.items()]
    lines += environment or []
    lines += [f"ExecStart={command}", ""]
    lines += [f"{name}={value}" for name, value in _hardening(place).items()]
    if wanted:
        target = "multi-user.target" if place.account else "default.target"
        lines += ["", "[Install]", f"WantedBy={target}"]
    return "\n".join(lines) + "\n"


def _both() -> str:
    return " ".join((*SERVERS, "network-online.target"))


def _account(place: Place) -> dict[str, str]:
    return {"User": place.account, "Group": place.account} if place.account else {}


def _hardening(place: Place) -> Mapping[str, str]:
    if not place.account:
        return _FOR_ALL
    used = (place.home.folder, Path(sys.prefix), Path(sys.base_prefix))
    hidden = any(path.is_relative_to(home) for path in used for home in _HOMES)
    return {
        **_FOR_ALL,
        **_FOR_SYSTEM,
        "ProtectHome": "read-only" if hidden else "yes",
        "ReadWritePaths": str(place.home.folder),
    }
