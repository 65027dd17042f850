"""Pooled connections to permitted addresses, directly or through the operator's proxy."""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import certifi
import httpcore
import httpx

from pao.clients.outgoing.outgoing_errors import AddressRefusedError
from pao.clients.outgoing.resolver import EgressResolver, HostResolver
from pao.clients.outgoing.rules import EgressRules

CONNECT_SECONDS = 4.0
CONNECTIONS = 100
IDLE_CONNECTIONS = 20
# Servers and load balancers close idle connections, some after five seconds; a request sent into
# such a connection has an unknown outcome, which costs far more than reconnecting.
IDLE_SECONDS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """Where connections may go, through which proxy, and which authorities are trusted.

    ``proxy`` is ``http://user:password@host:port``; ``no_proxy`` lists, in the syntax of the rules,
    what is reached directly. ``ca_bundle`` is a file of certificates that are trusted in addition
    to the public ones.
    """

    rules: EgressRules = field(default_factory=EgressRules)
    proxy: str | None = None
    no_proxy: EgressRules | None = None
    ca_bundle: Path | None = None


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to exactly the addresses that were checked; TLS still verifies the host's name."""

    def __init__(self, guide: EgressResolver) -> None:
        self._guide = guide
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first permitted address that answers."""
        failure: Exception | None = None
        for address in await self._guide.permitted_addresses(host, port):
            try:
                return await self._plain.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 -- the library's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: actions reach hosts only."""
        del timeout, socket_options
        raise AddressRefusedError(f"{path} is a socket of this machine; actions reach hosts only.")

    async def sleep(self, seconds: float) -> None:
        """Sleep as the library requests."""
        await asyncio.sleep(seconds)


class ConnectionPools:
    """The pools of one process, opened on first use."""

    def __init__(self, options: ConnectionOptions, resolver: HostResolver | None = None) -> None:
        self._options = options
        self._guide = EgressResolver(options.rules, resolver)
        self._direct: httpcore.AsyncConnectionPool | None = None
        self._proxied: httpcore.AsyncConnectionPool | None = None
        self._trust: ssl.SSLContext | None = None

    async def pool_for(self, host: str, port: int) -> httpcore.AsyncConnectionPool:
        """Return the pool for a host, or raise AddressRefusedError."""
        if self._options.proxy is None or self._is_direct(host, port):
            self._direct = self._direct or httpcore.AsyncConnectionPool(
                network_backend=CheckedBackend(self._guide), **self._limits()
            )
            return self._direct
        await self._guide.check_for_proxy(host, port)
        self._proxied = self._proxied or self._proxy(self._options.proxy)
        return self._proxied

    async def close(self) -> None:
        """Close every connection."""
        for pool in (self._direct, self._proxied):
            if pool is not None:
                await pool.aclose()

    def _is_direct(self, host: str, port: int) -> bool:
        direct = self._options.no_proxy
        return direct is not None and direct.lists(host, port)

    def _proxy(self, address: str) -> httpcore.AsyncHTTPProxy:
        url = httpx.URL(address)
        auth = (unquote(url.username), unquote(url.password)) if url.username else None
        return httpcore.AsyncHTTPProxy(
            proxy_url=str(url.copy_with(username=None, password=None)),
            proxy_auth=auth,
            **self._limits(),
        )

    def _limits(self) -> dict[str, Any]:
        self._trust = self._trust or trust(self._options.ca_bundle)
        return {
            "ssl_context": self._trust,
            "max_connections": CONNECTIONS,
            "max_keepalive_connections": IDLE_CONNECTIONS,
            "keepalive_expiry": IDLE_SECONDS,
            "retries": 0,
        }


@cache
def trust(ca_bundle: Path | None) -> ssl.SSLContext:
    """Trust the public authorities, this machine's, and those of the operator."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca_bundle is not None:
        context.load_verify_locations(ca_bundle)
    return context
