"""Addresses are compared as they are meant, whatever socket or setting has spelled them."""

from ipaddress import ip_address, ip_network

import pytest

from pao.runtime.networks import Networks, read_address, read_network


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("10.1.0.0/16", "10.1.2.3", "10.2.0.1"),
        ("10.1.0.0/16", "::ffff:10.1.2.3", "::ffff:10.2.0.1"),
        ("10.1.2.3", "::ffff:a01:203", "::10.1.2.3"),
        ("::ffff:10.1.0.0/112", "10.1.2.3", "10.2.0.1"),
        ("::ffff:10.1.2.3", "::FFFF:10.1.2.3", "10.1.2.4"),
        ("fd00::/8", "fd00::1", "10.1.2.3"),
        ("fe80::/10", "fe80::1%eth0", "fd00::1"),
        ("::/0", "2001:db8::1", "10.1.2.3"),
        ("::/0", "::fffe:10.1.2.3", "::ffff:10.1.2.3"),
        ("::fffe:0:0/95", "::fffe:10.1.2.3", "::ffff:10.1.2.3"),
        ("0.0.0.0/0", "::ffff:10.1.2.3", "2001:db8::1"),
    ],
)
def test_a_network_holds_an_address_in_every_spelling(
    entry: str, inside: str, outside: str
) -> None:
    networks = Networks([entry])
    assert networks.contain(inside)
    assert not networks.contain(outside)
    # Whoever compares as written finds the same.
    spelled = [ip_network(one) for one in networks.spellings()]
    assert any(ip_address(inside) in one for one in spelled)
    assert not any(ip_address(outside) in one for one in spelled)


@pytest.mark.parametrize("host", ["", None, "localhost", "10.1.2.3:80", "10.1.2", "010.1.2.3"])
def test_what_is_no_address_is_in_no_network(host: str | None) -> None:
    assert not Networks(["0.0.0.0/0", "::/0"]).contain(host)


def test_an_ipv4_address_is_read_as_one() -> None:
    assert str(read_address("::ffff:10.1.2.3")) == "10.1.2.3"
    assert str(read_network("::ffff:10.1.2.3/104", strict=False)) == "10.0.0.0/8"
    assert str(read_network("::ffff:0:0/95", strict=False)) == "::fffe:0:0/95"
    assert Networks(["10.0.0.0/8"]).spellings() == ["10.0.0.0/8", "::ffff:10.0.0.0/104"]
