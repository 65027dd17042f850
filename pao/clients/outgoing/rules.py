"""The operator's rules about where actions may connect; addresses.py classifies addresses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import httpx

from pao.clients.outgoing.addresses import describe_special, read_target_address, unwrap_ipv4
from pao.clients.outgoing.outgoing_errors import AddressRefusedError
from pao.core.urls import read_port
from pao.runtime.networks import Address, Network, read_network

ANY = "*"
# Wider networks would allow unintended targets, such as metadata services.
_WIDEST = {4: 8, 6: 16}
_LONGEST_HOST = 253


class RuleError(ValueError):
    """An entry of the list is invalid; the message says what to write."""


@dataclass(frozen=True, slots=True)
class _EgressRule:
    """One entry: a name, a wildcard or a network, for one port or for all."""

    name: str | None = None
    wildcard: bool = False
    network: Network | None = None
    port: int | None = None

    def matches_host(self, host: str, port: int) -> bool:
        if self.name is None or self.port not in {None, port}:
            return False
        return host.endswith(f".{self.name}") if self.wildcard else host == self.name

    def matches_address(self, address: Address, port: int) -> bool:
        if self.network is None or self.port not in {None, port}:
            return False
        return address.version == self.network.version and address in self.network


@dataclass(frozen=True, slots=True)
class EgressRules:
    """Where connections may go.

    Without entries: to every public address. With entries: to the hosts that are named, on public
    addresses, and to every address of the networks that are named; ``*`` adds all public ones.
    An address that is not public must itself be in a named network, whatever name leads there.
    """

    rules: tuple[_EgressRule, ...] = ()
    any_public: bool = True

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Parse a list of hosts, ``*.wildcards``, addresses, networks, each with an optional port.

        Raises ``RuleError`` for any other entry.
        """
        texts = [text for entry in entries if (text := entry.strip())]
        rules = tuple(_parse_entry(text) for text in texts if text != ANY)
        return cls(rules=rules, any_public=not texts or ANY in texts)

    def check_host(self, host: str, port: int) -> None:
        """Raise AddressRefusedError for a host that no entry can permit, before resolving it."""
        if self.any_public or any(rule.network is not None for rule in self.rules):
            return
        if not self._lists_host(host, port):
            raise AddressRefusedError(_not_listed_message(host, port))

    def check_name(self, host: str, port: int) -> None:
        """Raise AddressRefusedError for a host by its name alone, for a proxy that resolves it."""
        if not self.any_public and not self._lists_host(host, port):
            raise AddressRefusedError(_not_listed_message(host, port))

    def check_address(self, host: str, address: Address, port: int) -> None:
        """Raise AddressRefusedError if the address that the host resolved to is not permitted."""
        if self._lists_address(address, port):
            return
        what = describe_special(address)
        if what is not None:
            shown = f"{host}: it leads to {address}" if host != str(address) else host
            raise AddressRefusedError(
                f"Actions may not connect to {shown}, which is {what}. If they should, add the "
                "address or its network to PAO_EGRESS_ALLOW."
            )
        if not self.any_public and not self._lists_host(host, port):
            raise AddressRefusedError(_not_listed_message(host, port))

    def lists(self, host: str, port: int) -> bool:
        """Return whether an entry names the host, or a network that contains it."""
        if self._lists_host(host, port):
            return True
        try:
            address = read_target_address(host)
        except ValueError:
            return False
        return self._lists_address(address, port)

    def _lists_address(self, address: Address, port: int) -> bool:
        spellings = {address, unwrap_ipv4(address)}
        return any(rule.matches_address(one, port) for rule in self.rules for one in spellings)

    def _lists_host(self, host: str, port: int) -> bool:
        return any(rule.matches_host(normalize_host(host), port) for rule in self.rules)


def normalize_host(host: str) -> str:
    """Normalize a host for comparison: lower case, IDNA, without the trailing dot."""
    text = host.strip().rstrip(".").lower()
    if text.isascii():
        return text
    try:
        return httpx.URL(f"http://{text}").raw_host.decode("ascii").rstrip(".")
    except (httpx.InvalidURL, UnicodeError):
        return text


def _parse_entry(text: str) -> _EgressRule:
    host, port = _split_port(text)
    try:
        network = read_network(host, strict=False)
    except ValueError:
        return _host_rule(host, port, text)
    if network.prefixlen < _WIDEST[network.version]:
        raise RuleError(f"{text!r} is too wide; write * for every public address")
    return _EgressRule(network=network, port=port)


def _split_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise RuleError(f"{text!r} is not an address; write [fd00::1] or [fd00::1]:8443")
        return host, _parse_port(rest[1:], text) if rest else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, _parse_port(port, text) if colon else None


def _parse_port(text: str, entry: str) -> int:
    try:
        return read_port(text)
    except ValueError:
        msg = f"{entry!r} has an invalid port; write host:8443, or leave it out"
        raise RuleError(msg) from None


def _host_rule(host: str, port: int | None, entry: str) -> _EgressRule:
    wildcard = host.startswith("*.")
    name = normalize_host(host[2:] if wildcard else host)
    plain = name.replace("-", "").replace(".", "").replace("_", "")
    if not name or len(name) > _LONGEST_HOST or not (plain.isascii() and plain.isalnum()):
        raise RuleError(
            f"{entry!r} is neither a host, nor *.domain, nor an address or network such as "
            "10.1.0.0/16"
        )
    return _EgressRule(name=name, wildcard=wildcard, port=port)


def _not_listed_message(host: str, port: int) -> str:
    return (
        f"Actions may not connect to {host}:{port}: it is not among the hosts that the operator "
        "has listed in PAO_EGRESS_ALLOW. Ask for it to be added, or correct the address."
    )
