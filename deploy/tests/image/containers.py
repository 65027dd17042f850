"""Containers of the built image, by crun: confined as compose and the chart confine them."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.tests.image.build import buildah

NAMESPACES = ("pid", "ipc", "uts", "mount", "cgroup")
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder or file of the host in a container."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: its files, mounted, and what it says of its process."""

    root: Path
    config: dict[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """What the image sets."""
        return dict(one.split("=", 1) for one in self.config["Env"])


@contextmanager
def mounted(name: str) -> Iterator[Image]:
    """Mount an image of the local storage."""
    described = json.loads(buildah("inspect", "--type", "image", name))
    container = buildah("from", "--pull-never", name)
    try:
        root = Path(buildah("mount", container))
        yield Image(root, described["OCIv1"]["config"])
    finally:
        buildah("rm", container)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRun:
    """How a container is run: what compose's and Kubernetes' descriptions have in common."""

    arguments: Sequence[str]
    entrypoint: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    user: tuple[int, int] | None = None


class Container:
    """One running container; its output is in ``log``. It shares the network of the tests."""

    def __init__(self, image: Image, run: ContainerRun, folder: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="container-", dir=folder))
        self.log = self.folder / "log"
        (self.folder / "config.json").write_text(json.dumps(specification(image, run)))
        self._crun = [shutil.which("crun") or "crun", "--cgroup-manager=disabled"]
        self._crun += ["--root", str(self.folder / "state")]
        command = [*self._crun, "run", "--bundle", str(self.folder), self.folder.name]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 -- crun, and our own folder
                command, stdout=output, stderr=subprocess.STDOUT
            )

    def execute(self, command: Sequence[str]) -> int:
        """Run a command in it, as health checks are; returns its exit code."""
        ran = [*self._crun, "exec", self.folder.name, *command]
        return subprocess.run(ran, check=False, capture_output=True).returncode  # noqa: S603 -- as above

    def wait(self, seconds: float = 120) -> int:
        """Return the exit code when it has ended."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        """Ask it to end, as engines do; returns its exit code."""
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        return self.wait(STOP_SECONDS)

    @property
    def pid(self) -> int:
        """The process that is 1 inside, as the host counts."""
        status = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(status.read_text().split()[0])

    def said(self) -> str:
        """Return what it has written so far."""
        return self.log.read_text(errors="replace")


def specification(image: Image, run: ContainerRun) -> dict[str, Any]:
    """Return the runtime's configuration: nothing writable but what is given, no capability."""
    config = image.config
    uid, gid = run.user or tuple(int(part) for part in config["User"].split(":"))
    entrypoint = config["Entrypoint"] if run.entrypoint is None else run.entrypoint
    environment = image.environment | dict(run.environment)
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": uid, "gid": gid},
            "args": [*entrypoint, *run.arguments],
            "env": [f"{name}={value}" for name, value in environment.items()],
            "cwd": config["WorkingDir"],
            "capabilities": {},
            "noNewPrivileges": True,
        },
        "root": {"path": str(image.root), "readonly": True},
        "hostname": "pao",
        "mounts": [*_SYSTEM, *(_bind(one) for one in run.mounts)],
        "linux": {
            "namespaces": [{"type": name} for name in NAMESPACES],
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
            "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"],
        },
    }


_SYSTEM = (
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
        "destination": "/tmp",  # noqa: S108 -- the container's own
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "nodev", "mode=1777"],
    },
)


def _bind(mount: Mount) -> dict[str, Any]:
    rights = "rw" if mount.writable else "ro"
    return {
        "destination": mount.target,
        "type": "bind",
        "source": str(mount.source),
        "options": ["bind", rights, "nosuid", "nodev"],
    }
