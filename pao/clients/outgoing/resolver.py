"""From a host to the addresses that may be connected to; each is judged, a host asked once."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Protocol

from pao.clients.outgoing.addresses import Address, read_address
from pao.clients.outgoing.outgoing_errors import AddressRefusedError, CallUnsentError
from pao.clients.outgoing.rules import EgressRules

Resolved = Sequence[str]


class Resolver(Protocol):
    """Asks for the addresses of a host."""

    async def resolve(self, host: str, port: int) -> Resolved:
        """Return the addresses in the order in which they are to be tried; raises ``OSError``."""
        ...


class SystemResolver:
    """Asks as every program on this machine does."""

    async def resolve(self, host: str, port: int) -> Resolved:
        """Return what ``getaddrinfo`` says, each address once."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guide:
    """Resolves a host to the addresses that a connection may be made to."""

    def __init__(self, rules: EgressRules, resolver: Resolver | None = None) -> None:
        self._rules = rules
        self._resolver = resolver or SystemResolver()

    async def permitted(self, host: str, port: int) -> list[str]:
        """Resolve once and judge each address; whatever resolves later changes nothing.

        Raises ``AddressRefusedError`` where none is permitted, ``CallUnsentError`` where none is.
        """
        self._rules.judge_host(host, port)
        permitted, refusal = [], None
        for address in await self._addresses(host, port):
            try:
                self._rules.judge(host, address, port)
            except AddressRefusedError as error:
                refusal = refusal or error
            else:
                permitted.append(str(address))
        if permitted:
            return permitted
        raise refusal or CallUnsentError(f"{host} has no address.")

    async def judge_for_proxy(self, host: str, port: int) -> None:
        """Refuse what a proxy must not be asked for; it resolves by itself, so names count.

        A host that is an address, in whatever spelling, is judged as one; so are the addresses
        that this machine knows for a name.
        """
        try:
            addresses = await self._addresses(host, port)
        except CallUnsentError:
            self._rules.judge_name(host, port)
            return
        for address in addresses:
            self._rules.judge(host, address, port)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            found = await self._resolver.resolve(host, port)
            return [read_address(text) for text in found]
        except (OSError, UnicodeError, ValueError) as error:
            raise CallUnsentError(f"The host {host} cannot be found.") from error
