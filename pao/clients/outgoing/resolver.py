"""Resolves a host to the addresses that may be connected to; resolves once and checks each."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Protocol

from pao.clients.outgoing.addresses import read_target_address
from pao.clients.outgoing.outgoing_errors import AddressRefusedError, CallUnsentError
from pao.clients.outgoing.rules import EgressRules
from pao.runtime.networks import Address

Resolved = Sequence[str]


class HostResolver(Protocol):
    """Looks up the addresses of a host."""

    async def resolve(self, host: str, port: int) -> Resolved:
        """Return the addresses in the order to try them; raises ``OSError``."""
        ...


class SystemResolver:
    """Resolves through the operating system."""

    async def resolve(self, host: str, port: int) -> Resolved:
        """Return the addresses from ``getaddrinfo``, each once."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class EgressResolver:
    """Resolves a host to the addresses that a connection may be made to."""

    def __init__(self, rules: EgressRules, resolver: HostResolver | None = None) -> None:
        self._rules = rules
        self._resolver = resolver or SystemResolver()

    async def permitted_addresses(self, host: str, port: int) -> list[str]:
        """Return the permitted addresses of a host; later DNS changes have no effect.

        Raises ``AddressRefusedError`` if none is permitted, ``CallUnsentError`` if there is none.
        """
        self._rules.check_host(host, port)
        permitted, refusal = [], None
        for address in await self._addresses(host, port):
            try:
                self._rules.check_address(host, address, port)
            except AddressRefusedError as error:
                refusal = refusal or error
            else:
                permitted.append(str(address))
        if permitted:
            return permitted
        raise refusal or CallUnsentError(f"{host} has no address.")

    async def check_for_proxy(self, host: str, port: int) -> None:
        """Raise AddressRefusedError for a host that a proxy must not connect to.

        The proxy resolves names itself. A host that is an address, in any spelling, is checked as
        one; so are the addresses that this machine resolves a name to.
        """
        try:
            addresses = await self._addresses(host, port)
        except CallUnsentError:
            self._rules.check_name(host, port)
            return
        for address in addresses:
            self._rules.check_address(host, address, port)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            found = await self._resolver.resolve(host, port)
            return [read_target_address(text) for text in found]
        except (OSError, UnicodeError, ValueError) as error:
            raise CallUnsentError(f"The host {host} cannot be found.") from error
