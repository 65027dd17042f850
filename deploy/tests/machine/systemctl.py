"""A stand-in for `systemctl`: it runs the units of one folder as processes, as systemd would.

Knows what the units of PAO use: notify, oneshot, environment files, Wants and Requires, and that a
unit ends with one that it requires. The folders come from UNITS and STATE. Says nothing about
confinement: users and namespaces are not its.
"""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

UNITS, STATE = Path(os.environ["UNITS"]), Path(os.environ["STATE"])
WAIT_SECONDS = 300.0


def main(arguments: list[str]) -> int:
    words = [word for word in arguments if not word.startswith("-")]
    verb, units = words[0], words[1:]
    with (STATE / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    if verb in {"enable", "disable", "daemon-reload"}:
        missing = [unit for unit in units if not (UNITS / unit).exists()]
        return _fail(f"Unit {missing[0]} not found.") if missing else 0
    for unit in units:
        ended = stop(unit) if verb in {"stop", "restart"} else []
        if verb in {"start", "restart"} and not all(start(one) for one in (unit, *ended)):
            return _fail(f"Job for {unit} failed.")
    return 0


def start(unit: str) -> bool:
    if unit.endswith(".timer") or is_active(unit):
        return True
    settings = read(unit)
    for one in named(settings, "Wants"):
        if (UNITS / one).exists():
            start(one)
    if not all(start(one) for one in named(settings, "Requires")):
        return False
    kind = settings.get("Type", ["simple"])[-1]
    environment = environment_of(settings)
    listener = listen(unit, environment) if kind == "notify" else None
    log = (STATE / f"{unit}.log").open("ab")
    process = subprocess.Popen(  # noqa: S603 -- our own units
        shlex.split(settings["ExecStart"][-1]),
        env=environment,
        cwd=settings["WorkingDirectory"][-1],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    (STATE / f"{unit}.pid").write_text(str(process.pid))
    if kind == "oneshot":
        done = process.wait() == 0
        (STATE / f"{unit}.pid").write_text("done" if done else "failed")
        return done
    return listener is None or is_told(listener, process)


def environment_of(settings: dict[str, list[str]]) -> dict[str, str]:
    found = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    for file in settings.get("EnvironmentFile", []):
        for line in Path(file).read_text().splitlines():
            name, separator, value = line.partition("=")
            if separator and not line.startswith("#"):
                found[name] = value
    for one in settings.get("Environment", []):
        name, _, value = one.partition("=")
        found[name] = value
    return found


def listen(unit: str, environment: dict[str, str]) -> socket.socket:
    address = STATE / f"{unit}.socket"
    address.unlink(missing_ok=True)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    opened.bind(str(address))
    opened.settimeout(0.2)
    environment["NOTIFY_SOCKET"] = str(address)
    return opened


def is_told(listener: socket.socket, process: "subprocess.Popen[bytes]") -> bool:
    limit = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(TimeoutError):
            return listener.recv(100) == b"READY=1"
    return False


def stop(unit: str) -> list[str]:
    """End a unit, after those that require it; return these."""
    ended = [
        file.name
        for file in sorted(UNITS.glob("pao-*.service"))
        if unit in named(read(file.name), "Requires") and is_active(file.name)
    ]
    for one in ended:
        stop(one)
    file = STATE / f"{unit}.pid"
    if is_active(unit) and (known := file.read_text()) != "done":
        pid = int(known)
        os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + 60
        while _lives(pid):
            if time.monotonic() > limit:
                os.killpg(pid, signal.SIGKILL)
            time.sleep(0.05)
    file.unlink(missing_ok=True)
    return ended


def is_active(unit: str) -> bool:
    try:
        known = (STATE / f"{unit}.pid").read_text()
    except FileNotFoundError:
        return False
    return known == "done" or (known.isdigit() and _lives(int(known)))


def read(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith(("#", "[")):
            found.setdefault(name, []).append(value)
    return found


def named(settings: dict[str, list[str]], relation: str) -> list[str]:
    return " ".join(settings.get(relation, [])).split()


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _fail(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
