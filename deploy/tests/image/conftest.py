"""The built images, mounted; `make image-test` has built them before and cut off the network."""

import fcntl
import socket
import struct
import subprocess
from collections.abc import Iterator

import pytest

from deploy.tests.image.build import TARGETS
from deploy.tests.image.containers import Image, mounted

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


@pytest.fixture(scope="session", autouse=True)
def namespaces() -> None:
    """Insist on namespaces of our own, where every port is free and mounts are nobody else's."""
    assert [name for _, name in socket.if_nameindex()] == ["lo"], "run these by `make image-test`"
    _switch_loopback_on()
    # crun knows version 2 only; it is told to leave control groups alone in any case.
    mount = ["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"]
    subprocess.run(mount, check=True)  # noqa: S603 -- constants


def _switch_loopback_on() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags | IFF_UP, b""))


@pytest.fixture(scope="session")
def runtime() -> Iterator[Image]:
    """The image that is deployed."""
    with mounted(TARGETS["runtime"]) as image:
        yield image


@pytest.fixture(scope="session")
def dev() -> Iterator[Image]:
    """The image with the stand-ins."""
    with mounted(TARGETS["dev"]) as image:
        yield image
