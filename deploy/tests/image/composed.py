"""Runs PAO's own services of docker-compose.yml as it describes them, without an engine.

Every name of the file leads to loopback, which belongs to these tests alone. Postgres and Temporal
are the embedded ones: their images cannot be had without a registry of images.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.tests.image.containers import Container, ContainerRun, Image, Mount

STATE_OWNER = 10001
HEALTHY_SECONDS = 180.0


class Composed:
    """The services of a project; volumes are folders below ``folder``."""

    def __init__(
        self, project: Mapping[str, Any], images: Mapping[str, Image], folder: Path
    ) -> None:
        self.project = project
        self._images = images
        self._folder = folder
        self.running: dict[str, Container] = {}
        self._hosts = folder / "hosts"
        names = " ".join(project["services"])
        self._hosts.write_text(f"127.0.0.1 localhost {names}\n")

    def service(self, name: str) -> dict[str, Any]:
        """Return what the file says of a service."""
        return dict(self.project["services"][name])

    def volume(self, name: str) -> Path:
        """Return the folder of a volume."""
        folder = self._folder / "volumes" / name
        if not folder.exists():
            folder.mkdir(parents=True)
            if not name.startswith("secret-"):
                # As an engine copies it from the image.
                os.chown(folder, STATE_OWNER, STATE_OWNER)
        return folder

    def start(self, name: str, *, command: list[str] | None = None) -> Container:
        """Start a service; with ``command`` run that in its place."""
        service = self.service(name)
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        user = service.get("user", "").split(":")
        run = ContainerRun(
            arguments=command or service.get("command") or [],
            entrypoint=service.get("entrypoint"),
            environment=service.get("environment") or {},
            mounts=[*self._mounts(service), Mount(source=self._hosts, target="/etc/hosts")],
            user=(int(user[0]), int(user[1])) if len(user) > 1 else None,
        )
        container = Container(self._images[service["build"]["target"]], run, self._folder)
        self.running[name] = container
        return container

    def complete(self, name: str) -> str:
        """Run a service that ends, and return what it said."""
        container = self.start(name)
        code = container.wait()
        assert code == 0, f"{name}: {container.said()}"
        return container.said()

    def wait_until_healthy(self, name: str) -> None:
        """Wait until the service's own health check succeeds."""
        check = self.service(name)["healthcheck"]["test"]
        assert check[0] == "CMD"
        until = time.monotonic() + HEALTHY_SECONDS
        while self.running[name].execute(check[1:]) != 0:
            assert self.running[name].process.poll() is None, self.running[name].said()
            assert time.monotonic() < until, self.running[name].said()
            time.sleep(0.5)

    def stop(self) -> None:
        """End everything, the last one first."""
        for container in reversed(self.running.values()):
            container.stop()

    def _mounts(self, service: Mapping[str, Any]) -> list[Mount]:
        files = self.project.get("secrets", {})
        return [
            *(
                Mount(
                    source=self.volume(one["source"])
                    if one["type"] == "volume"
                    else Path(one["source"]),
                    target=one["target"],
                    writable=not one.get("read_only"),
                )
                for one in service.get("volumes") or ()
            ),
            *(
                Mount(source=Path(files[one["source"]]["file"]), target=one["target"])
                for one in service.get("secrets") or ()
            ),
        ]
