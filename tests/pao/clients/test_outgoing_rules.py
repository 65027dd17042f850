"""Where actions may connect: every spelling and every kind of address, judged as it is meant."""

from collections.abc import Iterator

import pytest

from pao.clients.outgoing import (
    AddressRefusedError,
    CallInvalidError,
    CallUnsentError,
    EgressRules,
    HttpClient,
    OutgoingCall,
    RuleError,
    WireOptions,
)
from pao.clients.outgoing.addresses import Address, read_address, special
from pao.clients.outgoing.resolver import Guide
from tests.support.raw_servers import RawServer, answering, raw_server


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server(answering()) as running:
        yield running


class Names:
    """A resolver of the test's own: a host's next answer each time, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): given for name, given in answers.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        given = self._answers.get(host.rstrip("."))
        if given is None:
            raise OSError(f"{host}:{port} is unknown")
        return given.pop(0) if len(given) > 1 else given[0]


async def call(url: str, *allow: str, names: Names | None = None) -> int:
    client = HttpClient(WireOptions(rules=EgressRules.parse(allow)), resolver=names)
    try:
        return (await client.send(OutgoingCall(method="POST", url=url), seconds=5)).status
    finally:
        await client.close()


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
    names = Names(api_example_com=[[address]])
    with pytest.raises(AddressRefusedError, match=r"connect to api\.example\.com: it leads to"):
        await call("https://api.example.com/", names=names)
    with pytest.raises(AddressRefusedError, match="PAO_EGRESS_ALLOW"):
        await call("https://api.example.com/", "api.example.com", names=names)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"]
)
def test_a_public_address_is_public(address: str) -> None:
    assert special(read_address(address)) is None
    EgressRules.parse([]).judge("api.example.com", read_address(address), 443)


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
    return read_address(form.format(ipv4, hex=f"{one:02x}{two:02x}:{three:02x}{four:02x}"))


@pytest.mark.parametrize("form", SEEN_THROUGH.values(), ids=SEEN_THROUGH)
def test_ipv4_inside_ipv6_is_judged_as_the_ipv4_address_that_it_leads_to(form: str) -> None:
    nowhere = EgressRules.parse(["10.1.0.0/16", "127.0.0.1:8443"])
    nowhere.judge("x.example", embedded(form, "10.1.2.3"), 443)
    nowhere.judge("x.example", embedded(form, "127.0.0.1"), 8443)
    everywhere = EgressRules.parse([])
    everywhere.judge("x.example", embedded(form, "8.8.8.8"), 443)
    for rules, ipv4, port in (
        (nowhere, "10.2.0.1", 443),
        (nowhere, "127.0.0.1", 443),
        (nowhere, "8.8.8.8", 443),
        (everywhere, "10.1.2.3", 443),
        (everywhere, "127.0.0.1", 443),
        (everywhere, "169.254.169.254", 80),
    ):
        with pytest.raises(AddressRefusedError):
            rules.judge("x.example", embedded(form, ipv4), port)


@pytest.mark.parametrize("ipv4", ["8.8.8.8", "10.1.2.3", "127.0.0.1", "169.254.169.254"])
@pytest.mark.parametrize("form", NEVER.values(), ids=NEVER)
def test_ipv4_in_a_tunnel_or_an_obsolete_form_is_refused_even_where_the_ipv4_network_is_listed(
    form: str, ipv4: str
) -> None:
    for entries in ((), ("*",), ("8.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16")):
        with pytest.raises(AddressRefusedError, match="which is"):
            EgressRules.parse(entries).judge("x.example", embedded(form, ipv4), 443)


@pytest.mark.parametrize("form", [*SEEN_THROUGH.values(), *NEVER.values()])
def test_an_ipv6_network_that_is_listed_lets_its_addresses_in_whatever_they_hold(form: str) -> None:
    address = embedded(form, "10.1.2.3")
    EgressRules.parse([f"[{address}]:443"]).judge("x.example", address, 443)
    with pytest.raises(AddressRefusedError):
        EgressRules.parse([f"[{address}]:443"]).judge("x.example", address, 80)


def test_a_listed_ipv6_network_does_not_let_ipv4_addresses_in() -> None:
    rules = EgressRules.parse(["::ffff:0:0/96", "64:ff9b::/96"])
    with pytest.raises(AddressRefusedError):
        rules.judge("x.example", read_address("10.1.2.3"), 443)


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
    assert special(read_address(inside)) is not None
    assert special(read_address(outside)) is None


@pytest.mark.parametrize(
    ("widest", "too_wide"), [("10.0.0.0/8", "10.0.0.0/7"), ("fd00::/16", "fc00::/15")]
)
def test_a_network_may_be_so_wide_and_no_wider(widest: str, too_wide: str) -> None:
    assert EgressRules.parse([widest]).rules
    with pytest.raises(RuleError, match="too wide"):
        EgressRules.parse([too_wide])


@pytest.mark.parametrize(("port", "good"), [(1, True), (65535, True), (0, False), (65536, False)])
def test_a_port_is_one_that_exists(port: int, *, good: bool) -> None:
    if good:
        assert EgressRules.parse([f"x.example:{port}"]).rules[0].port == port
        return
    with pytest.raises(RuleError, match="port"):
        EgressRules.parse([f"x.example:{port}"])


async def test_a_name_that_resolves_differently_the_second_time_gains_nothing(
    server: RawServer,
) -> None:
    names = Names(rebind_example_com=[["127.0.0.2"], ["127.0.0.1"]])
    url = f"http://rebind.example.com:{server.port}/"
    before = server.count
    with pytest.raises(CallUnsentError):
        await call(url, "127.0.0.2", names=names)
    assert names.asked == ["rebind.example.com"], "it is resolved once, where it is judged"
    with pytest.raises(AddressRefusedError):
        await call(url, "127.0.0.2", names=names)
    assert server.count == before


async def test_of_several_addresses_only_permitted_ones_are_tried(server: RawServer) -> None:
    names = Names(mixed_example_com=[["169.254.169.254", "10.9.9.9", "127.0.0.1"]])
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
    ("host", "allowed"),
    [
        ("api.example.com", True),
        ("API.Example.COM.", True),
        ("b\u00fccher.example", True),
        ("xn--bcher-kva.example", True),
        ("one.wild.example", True),
        ("deep.one.wild.example", True),
        ("wild.example", False),
        ("notwild.example", False),
        ("api.example.com.evil.example", False),
    ],
)
def test_names_are_compared_as_dns_does(host: str, *, allowed: bool) -> None:
    rules = EgressRules.parse(["api.example.com", "*.wild.example", "B\u00dcCHER.example"])
    address = read_address("93.184.216.34")
    if allowed:
        rules.judge_host(host, 443)
        rules.judge(host, address, 443)
        return
    with pytest.raises(AddressRefusedError, match="not among the hosts"):
        rules.judge_host(host, 443)


@pytest.mark.parametrize("entry", ["api.example.com:8443", "*.example.com:8443"])
def test_a_name_with_a_port_is_listed_for_that_port_alone(entry: str) -> None:
    rules, address = EgressRules.parse([entry]), read_address("93.184.216.34")
    assert rules.lists("api.example.com", 8443)
    assert not rules.lists("api.example.com", 443)
    for judge in (rules.judge_host, rules.judge_name):
        judge("api.example.com", 8443)
        with pytest.raises(AddressRefusedError, match=r"api\.example\.com:443"):
            judge("api.example.com", 443)
    rules.judge("api.example.com", address, 8443)
    with pytest.raises(AddressRefusedError, match="not among the hosts"):
        rules.judge("api.example.com", address, 443)


def test_a_network_lists_the_addresses_in_it_and_no_name() -> None:
    rules = EgressRules.parse(["10.1.0.0/16", "[fd00::1]:8443"])
    assert rules.lists("10.1.2.3", 443)
    assert rules.lists("fd00::1", 8443)
    assert not rules.lists("fd00::1", 443)
    assert not rules.lists("10.2.0.1", 443)
    assert not rules.lists("x.example", 443)


def test_a_network_may_be_named_by_any_address_in_it() -> None:
    EgressRules.parse(["10.1.2.3/16"]).judge("x.example", read_address("10.1.255.255"), 443)


@pytest.mark.parametrize(
    ("entry", "good"),
    [
        ("my-host_1.example.com", True),
        ("host", True),
        (f"{'a' * 249}.com", True),
        (f"{'a' * 250}.com", False),
        ("a/b", False),
        ("[fd00::1]x", False),
        ("[fd00::1]]:80", False),
    ],
)
def test_an_entry_is_a_host_as_dns_allows_it(entry: str, *, good: bool) -> None:
    if good:
        assert EgressRules.parse([entry]).lists(entry, 443)
        return
    with pytest.raises(RuleError, match=r"write|neither"):
        EgressRules.parse([entry])


async def test_a_proxy_is_asked_for_listed_ports_and_permitted_addresses_alone() -> None:
    names = Names(api_example_com=[["10.1.2.3"]])
    guide = Guide(EgressRules.parse(["10.1.0.0/16:8443", "far.example.com:8443"]), names)
    await guide.judge_for_proxy("api.example.com", 8443)
    await guide.judge_for_proxy("far.example.com", 8443)
    with pytest.raises(AddressRefusedError, match=r"api\.example\.com: it leads to 10\.1\.2\.3"):
        await guide.judge_for_proxy("api.example.com", 443)
    with pytest.raises(AddressRefusedError, match=r"far\.example\.com:443"):
        await guide.judge_for_proxy("far.example.com", 443)


async def test_a_host_that_is_not_listed_is_not_even_resolved() -> None:
    names = Names()
    with pytest.raises(AddressRefusedError):
        await call("https://evil.example/", "api.example.com", names=names)
    assert names.asked == []


def test_a_star_beside_other_entries_lets_every_public_address_in() -> None:
    rules = EgressRules.parse(["*", "10.1.0.0/16"])
    rules.judge("x.example", read_address("93.184.216.34"), 443)
    rules.judge("x.example", read_address("10.1.2.3"), 443)
    with pytest.raises(AddressRefusedError):
        rules.judge("x.example", read_address("10.2.0.1"), 443)


@pytest.mark.parametrize(
    "entry",
    ["0.0.0.0/0", "::/0", "https://x.example", "x.example:0", "a b", "[::1", "x:y", "*.", "*"],
)
def test_an_entry_that_says_nothing_or_everything_is_told(entry: str) -> None:
    if entry == "*":
        assert EgressRules.parse([entry]).any_public
        return
    with pytest.raises(RuleError, match=r"write|neither"):
        EgressRules.parse([entry])


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
