"""The texts of the systemd units of one machine."""

import sys
from collections.abc import Mapping
from pathlib import Path

from pao.app.local.machine.layout import MachineLayout

POSTGRES, TEMPORAL = "pao-postgres.service", "pao-temporal.service"
MIGRATE, WORKER, API = "pao-migrate.service", "pao-worker.service", "pao-api.service"
BACKUP, TIMER = "pao-backup.service", "pao-backup.timer"
SERVERS = (POSTGRES, TEMPORAL)
PAO = (MIGRATE, WORKER, API)
ENABLED = (*SERVERS, *PAO, TIMER)

_MARK = "# Written by `pao install`, which replaces it: change it by `systemctl edit`.\n"
_RESTART = {"Restart": "always", "RestartSec": "3", "TimeoutStopSec": "60", "KillMode": "mixed"}
# What a user's service may use without special rights.
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


def unit_files(layout: MachineLayout) -> Mapping[str, str]:
    """Return the text of each unit by its name."""
    local = f"{layout.command} machine"
    home = f"--home {layout.home.folder}"
    temporal = f"--port {layout.temporal_port} --ui-port {layout.temporal_ui_port}"
    files = [f"EnvironmentFile={layout.machine_file}", f"EnvironmentFile={layout.settings_file}"]
    owner = [f"EnvironmentFile={layout.owner_file}"]
    # Not "Requires": systemd stops with a unit what requires it, even for a restart. What waits
    # for the database outlives its restart, and old processes the migration of an upgrade.
    after_servers = {
        "After": f"{POSTGRES} {TEMPORAL} network-online.target",
        "Wants": _servers_and_network(),
    }
    migrated = {"After": f"{MIGRATE} {TEMPORAL}", "Wants": MIGRATE}
    once = {"Type": "oneshot", "RemainAfterExit": "yes"}
    build = [f"Environment=PAO_BUILD_ID={layout.build_id}"]
    return {
        POSTGRES: _service(
            layout,
            "PAO: Postgres",
            {"Type": "notify", "TimeoutStartSec": "300", **_RESTART},
            f"{local} postgres {home} --port {layout.postgres_port}",
        ),
        TEMPORAL: _service(
            layout,
            "PAO: Temporal",
            {"Type": "notify", "TimeoutStartSec": "300", "LimitNOFILE": "65536", **_RESTART},
            f"{local} temporal {home} {temporal}",
            [f"Environment=PAO_CACHE={layout.cache}"],
        ),
        MIGRATE: _service(
            layout,
            "PAO: migration",
            once,
            f"{layout.command} db migrate",
            owner,
            unit=after_servers,
        ),
        WORKER: _service(
            layout,
            "PAO: worker",
            {"LimitNOFILE": "8192", **_RESTART},
            f"{layout.command} worker",
            [*files, *build],
            unit=migrated,
        ),
        API: _service(
            layout,
            "PAO: HTTP API",
            {"LimitNOFILE": "8192", **_RESTART},
            f"{layout.command} api",
            [*files, *build],
            unit=migrated,
        ),
        BACKUP: _service(
            layout,
            "PAO: backup",
            {"Type": "oneshot"},
            f"{layout.command} backup {layout.backups} {home}",
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
    layout: MachineLayout,
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
    settings = {**service, **_account(layout), "WorkingDirectory": str(layout.home.folder)}
    lines += [f"{name}={value}" for name, value in settings.items()]
    lines += environment or []
    lines += [f"ExecStart={command}", ""]
    lines += [f"{name}={value}" for name, value in _hardening(layout).items()]
    if wanted:
        target = "multi-user.target" if layout.account else "default.target"
        lines += ["", "[Install]", f"WantedBy={target}"]
    return "\n".join(lines) + "\n"


def _servers_and_network() -> str:
    return " ".join((*SERVERS, "network-online.target"))


def _account(layout: MachineLayout) -> dict[str, str]:
    return {"User": layout.account, "Group": layout.account} if layout.account else {}


def _hardening(layout: MachineLayout) -> Mapping[str, str]:
    if not layout.account:
        return _FOR_ALL
    used = (layout.home.folder, Path(sys.prefix), Path(sys.base_prefix))
    hidden = any(path.is_relative_to(home) for path in used for home in _HOMES)
    return {
        **_FOR_ALL,
        **_FOR_SYSTEM,
        "ProtectHome": "read-only" if hidden else "yes",
        "ReadWritePaths": str(layout.home.folder),
    }
