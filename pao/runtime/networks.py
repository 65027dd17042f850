"""Comparable addresses and networks: an IPv4 address is the same in both spellings.

A socket that takes IPv4 and IPv6 shows the IPv4 address 10.0.0.7 as ``::ffff:10.0.0.7``.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")


def read_address(text: str) -> Address:
    """Return an address; raises ``ValueError``."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def read_network(text: str, *, strict: bool = True) -> Network:
    """Return a network, or an address as one; ``strict`` forbids bits behind the prefix.

    Raises ``ValueError``.
    """
    network = ip_network(text, strict=strict)
    if isinstance(network, IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    first = read_address(str(network.network_address))
    return ip_network((str(first), network.prefixlen - _MAPPED.prefixlen))


class Networks:
    """A list of networks that a setting names."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._networks = tuple(read_network(entry) for entry in entries)

    def contain(self, host: str | None) -> bool:
        """Return whether a host is an address in one of them; a name is in none."""
        try:
            address = read_address(host or "")
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def spellings(self) -> list[str]:
        """Return the networks for code that compares them literally, IPv4 ones in both spellings.

        None of IPv6 holds an IPv4 address: ``::/0`` is spelled as all around ``::ffff:0:0/96``.
        """
        mapped = [
            f"::ffff:{one.network_address}/{_MAPPED.prefixlen + one.prefixlen}"
            for one in self._networks
            if isinstance(one, IPv4Network)
        ]
        return [*(str(part) for one in self._networks for part in _without_mapped(one)), *mapped]


def _without_mapped(network: Network) -> Iterable[Network]:
    if isinstance(network, IPv6Network) and _MAPPED.subnet_of(network):
        return network.address_exclude(_MAPPED)
    return (network,)
