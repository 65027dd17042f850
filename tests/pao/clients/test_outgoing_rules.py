"""Where actions may connect: every spelling and every kind of address, judged as it is meant."""

from collections.abc import Iterator

import pytest

from pao.clients.outgoing import (
    AddressRefusedError,
    CallInvalidError,
    CallUnsentError,
    EgressRules,
    RuleError,
)
from pao.clients.outgoing.addresses import describe_special, read_target_address
from pao.runtime.networks import Address
from tests.support.outgoing_calls import FakeResolver, call
from tests.support.raw_servers import RawServer, answering, raw_server


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server(answering()) as running:
        yield running


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "017700000001",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "0.0.0.0",  # noqa: S104 -- it is called, not bound
        "0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
        "\u2460\u2461\u2466.0.0.1",
        "127\u30020\u30020\u30021",
    ],
)
async def test_this_machine_is_refused_in_every_spelling(host: str, server: RawServer) -> None:
    before = server.count
    with pytest.raises((AddressRefusedError, CallInvalidError, CallUnsentError)):
        await call(f"http://{host}:{server.port}/")
    assert server.count == before


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%lo",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "64:ff9b::169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:a9fe:a9fe::1",
        "2002:808:808::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "::a9fe:a9fe",
        "4000::1",
    ],
)
async def test_an_address_that_is_not_public_is_refused_whatever_name_leads_there(
    address: str,
) -> None:
    names = FakeResolver(api_example_com=[[address]])
    with pytest.raises(AddressRefusedError, match=r"connect to api\.example\.com: it leads to"):
        await call("https://api.example.com/", names=names)
    with pytest.raises(AddressRefusedError, match="PAO_EGRESS_ALLOW"):
        await call("https://api.example.com/", "api.example.com", names=names)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"]
)
def test_a_public_address_is_public(address: str) -> None:
    assert describe_special(read_target_address(address)) is None
    EgressRules.parse([]).check_address("api.example.com", read_target_address(address), 443)


# The same IPv4 address as IPv6 transports it: seen through where a gateway or the system itself
# turns it into IPv4, refused where it is a tunnel or no address of today at all.
SEEN_THROUGH = {
    "mapped": "::ffff:{}",
    "mapped-hex": "::ffff:{hex}",
    "nat64": "64:ff9b::{}",
    "nat64-hex": "64:ff9b::{hex}",
}
NEVER = {
    "6to4": "2002:{hex}::1",
    "6to4-end": "2002:{hex}:ffff:ffff:ffff:ffff:ffff",
    "compatible": "::{}",
    "translated": "::ffff:0:{}",
    "teredo": "2001:0:{hex}::1",
    # RFC 6052: where these keep the address depends on the prefix that the network has chosen.
    "nat64-local-96": "64:ff9b:1::{hex}",
    "nat64-local-48": "64:ff9b:1:{hex}:0:808:808",
    "nat64-local-end": "64:ff9b:1:ffff:ffff:ffff:{hex}",
    "beside-mapped": "::fffe:{}",
    "beside-nat64": "64:ff9b::1:{}",
    "below-nat64-local": "64:ff9b:0:ffff::{hex}",
    "above-nat64-local": "64:ff9b:2::{hex}",
}


def embedded(form: str, ipv4: str) -> Address:
    one, two, three, four = (int(part) for part in ipv4.split("."))
    return read_target_address(form.format(ipv4, hex=f"{one:02x}{two:02x}:{three:02x}{four:02x}"))


@pytest.mark.parametrize("form", SEEN_THROUGH.values(), ids=SEEN_THROUGH)
def test_ipv4_inside_ipv6_is_judged_as_the_ipv4_address_that_it_leads_to(form: str) -> None:
    nowhere = EgressRules.parse(["10.1.0.0/16", "127.0.0.1:8443"])
    nowhere.check_address("x.example", embedded(form, "10.1.2.3"), 443)
    nowhere.check_address("x.example", embedded(form, "127.0.0.1"), 8443)
    everywhere = EgressRules.parse([])
    everywhere.check_address("x.example", embedded(form, "8.8.8.8"), 443)
    for rules, ipv4, port in (
        (nowhere, "10.2.0.1", 443),
        (nowhere, "127.0.0.1", 443),
        (nowhere, "8.8.8.8", 443),
        (everywhere, "10.1.2.3", 443),
        (everywhere, "127.0.0.1", 443),
        (everywhere, "169.254.169.254", 80),
    ):
        with pytest.raises(AddressRefusedError):
            rules.check_address("x.example", embedded(form, ipv4), port)


@pytest.mark.parametrize("ipv4", ["8.8.8.8", "10.1.2.3", "127.0.0.1", "169.254.169.254"])
@pytest.mark.parametrize("form", NEVER.values(), ids=NEVER)
def test_ipv4_in_a_tunnel_or_an_obsolete_form_is_refused_even_where_the_ipv4_network_is_listed(
    form: str, ipv4: str
) -> None:
    for entries in ((), ("*",), ("8.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16")):
        with pytest.raises(AddressRefusedError, match="which is"):
            EgressRules.parse(entries).check_address("x.example", embedded(form, ipv4), 443)


@pytest.mark.parametrize("form", [*SEEN_THROUGH.values(), *NEVER.values()])
def test_an_ipv6_network_that_is_listed_lets_its_addresses_in_whatever_they_hold(form: str) -> None:
    address = embedded(form, "10.1.2.3")
    EgressRules.parse([f"[{address}]:443"]).check_address("x.example", address, 443)
    with pytest.raises(AddressRefusedError):
        EgressRules.parse([f"[{address}]:443"]).check_address("x.example", address, 80)


def test_a_listed_ipv6_network_does_not_let_ipv4_addresses_in() -> None:
    rules = EgressRules.parse(["64:ff9b::/96", "::ffff:10.2.0.0/112"])
    with pytest.raises(AddressRefusedError):
        rules.check_address("x.example", read_target_address("10.1.2.3"), 443)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("10.0.0.0", "9.255.255.255"),
        ("10.255.255.255", "11.0.0.0"),
        ("172.16.0.0", "172.15.255.255"),
        ("172.31.255.255", "172.32.0.0"),
        ("192.168.0.0", "192.167.255.255"),
        ("192.168.255.255", "192.169.0.0"),
        ("127.0.0.0", "126.255.255.255"),
        ("127.255.255.255", "128.0.0.0"),
        ("169.254.0.0", "169.253.255.255"),
        ("169.254.255.255", "169.255.0.0"),
        ("168.63.129.16", "168.63.129.15"),
        ("168.63.129.16", "168.63.129.17"),
        ("100.64.0.0", "100.63.255.255"),
        ("100.127.255.255", "100.128.0.0"),
        ("0.255.255.255", "1.0.0.0"),
        ("224.0.0.0", "223.255.255.255"),
        ("192.0.0.255", "192.0.1.0"),
        ("192.88.99.255", "192.88.100.0"),
        ("198.18.0.0", "198.17.255.255"),
        ("198.19.255.255", "198.20.0.0"),
        ("192.0.2.0", "192.0.1.255"),
        ("198.51.100.255", "198.51.101.0"),
        ("203.0.113.0", "203.0.112.255"),
        ("1fff:ffff::", "2003::"),
        ("4000::", "3ffe::"),
        ("2001:1ff:ffff::", "2001:200::"),
        ("2002:ffff::", "2003::"),
        ("2001:db8:ffff::", "2001:db9::"),
        ("3fff:fff::", "3fff:1000::"),
    ],
)
def test_what_is_public_begins_right_beside_what_is_not(inside: str, outside: str) -> None:
    assert describe_special(read_target_address(inside)) is not None
    assert describe_special(read_target_address(outside)) is None


@pytest.mark.parametrize(
    ("port", "good"),
    [("1", True), ("65535", True), ("0", False), ("65536", False), ("9" * 5000, False)],
)
def test_a_port_is_one_that_exists(port: str, *, good: bool) -> None:
    if good:
        assert EgressRules.parse([f"x.example:{port}"]).rules[0].port == int(port)
        return
    with pytest.raises(RuleError, match="port"):
        EgressRules.parse([f"x.example:{port}"])


async def test_a_name_that_resolves_differently_the_second_time_gains_nothing(
    server: RawServer,
) -> None:
    names = FakeResolver(rebind_example_com=[["127.0.0.2"], ["127.0.0.1"]])
    url = f"http://rebind.example.com:{server.port}/"
    before = server.count
    with pytest.raises(CallUnsentError):
        await call(url, "127.0.0.2", names=names)
    assert names.asked == ["rebind.example.com"], "it is resolved once, where it is judged"
    with pytest.raises(AddressRefusedError):
        await call(url, "127.0.0.2", names=names)
    assert server.count == before


async def test_of_several_addresses_only_permitted_ones_are_tried(server: RawServer) -> None:
    names = FakeResolver(mixed_example_com=[["169.254.169.254", "10.9.9.9", "127.0.0.1"]])
    url = f"http://mixed.example.com:{server.port}/"
    assert await call(url, "127.0.0.1", names=names) == 200


@pytest.mark.parametrize("allow", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1:{port}"])
async def test_a_listed_address_is_reached(allow: str, server: RawServer) -> None:
    with pytest.raises(AddressRefusedError):
        await call(server.url, "10.0.0.0/8")
    assert await call(server.url, allow.format(port=server.port)) == 200


async def test_another_port_of_a_listed_address_is_refused(server: RawServer) -> None:
    with pytest.raises(AddressRefusedError):
        await call(server.url, f"127.0.0.1:{server.port + 1}")


@pytest.mark.parametrize(
    "url",
    [
        "http://ann:secret@127.0.0.1:{port}/",
        "http://api.example.com@127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://",
        "http:///path",
        "http://[::1",
        "http://127.0.0.1:{port}/\r\nX: y",
        "http://a\x00b/",
        "nonsense",
        "",
    ],
)
async def test_what_is_no_plain_web_address_is_refused(url: str, server: RawServer) -> None:
    before = server.count
    with pytest.raises(CallInvalidError) as caught:
        await call(url.format(port=server.port), "127.0.0.1")
    assert server.count == before
    assert "secret" not in caught.value.message
