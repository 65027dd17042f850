"""The ports of the local stack: their numbers, whether they are free, what to do if not."""

import errno
import socket
from dataclasses import dataclass, fields, replace

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One loopback port per part; 0 means any free one."""

    api: int = 8080
    temporal: int = 7233
    temporal_ui: int = 8233
    jira: int = 8090
    github: int = 8091
    postgres: int = 5433


@dataclass(frozen=True, slots=True)
class PortInUse:
    """A wanted port that another program listens on; its text names the option to change it."""

    part: str
    port: int

    def __str__(self) -> str:
        option = f"--{self.part.replace('_', '-')}-port"
        return (
            f"port {self.port} ({self.part.replace('_', ' ')}) is in use: stop the program that "
            f"listens on it, or choose another with {option} (0 picks a free one)"
        )


def ports_in_use(wanted: Ports) -> list[PortInUse]:
    """Return all wanted ports that are not available, to report them at once."""
    parts = [(field.name, int(getattr(wanted, field.name))) for field in fields(wanted)]
    return [PortInUse(part, port) for part, port in parts if port and not _is_free(port)]


def with_free_ports(wanted: Ports) -> Ports:
    """Return the ports with a free port in place of every 0."""
    open_ones = [field.name for field in fields(wanted) if getattr(wanted, field.name) == 0]
    return replace(wanted, **dict(zip(open_ones, free_ports(len(open_ones)), strict=True)))


def free_ports(count: int) -> list[int]:
    """Return as many different ports that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind((LOOPBACK, 0))
        return [int(opened.getsockname()[1]) for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still fading is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True
