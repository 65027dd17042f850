"""Which addresses are public, and what the others are; embedded IPv4 addresses are unwrapped."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from pao.runtime.networks import Address, Network

# IANA's special-purpose registries, described for people; spelled out, because the results of
# Python's ``is_global`` have changed between releases. The first match describes the address.
_SPECIAL: tuple[tuple[str, str], ...] = (
    ("127.0.0.0/8", "loopback"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
    ("168.63.129.16/32", "a cloud's metadata service"),
    ("100.64.0.0/10", "shared by a provider's customers (CGNAT)"),
    ("0.0.0.0/8", "unspecified"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("198.18.0.0/15", "for benchmarks"),
    ("192.0.2.0/24", "for documentation"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("::1/128", "loopback"),
    ("::/128", "unspecified"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
    ("2002::/16", "a tunnel (6to4)"),
    ("2001::/32", "a tunnel (Teredo)"),
    ("2001::/23", "reserved for protocols"),
    ("64:ff9b:1::/48", "translated to IPv4 by the local network (NAT64)"),
    ("2001:db8::/32", "for documentation"),
    ("3fff::/20", "for documentation"),
)
_NETWORKS: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(text), name) for text, name in _SPECIAL
)
_GLOBAL = IPv6Network("2000::/3")
# A NAT64 gateway translates these to the IPv4 address in their last 32 bits. Not the ones for local
# use (64:ff9b:1::/48): where those contain it depends on the network's prefix.
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_BITS = 0xFFFFFFFF


def read_target_address(text: str) -> Address:
    """Return the address of a text, without an IPv6 zone (``%eth0``); raises ``ValueError``."""
    return ip_address(text.partition("%")[0])


def unwrap_ipv4(address: Address) -> Address:
    """Return the IPv4 address embedded in an IPv6 address, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & _IPV4_BITS)
    return address


def describe_special(address: Address) -> str | None:
    """Describe an address that is not public; None for a public one."""
    meant = unwrap_ipv4(address)
    for network, name in _NETWORKS:
        if meant.version == network.version and meant in network:
            return name
    if isinstance(meant, IPv6Address) and meant not in _GLOBAL:
        return "reserved"
    return None
