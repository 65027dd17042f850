"""The list of allowed hosts: names, networks, ports, and entries that say too much."""

import pytest

from pao.clients.outgoing import AddressRefusedError, EgressRules, RuleError
from pao.clients.outgoing.addresses import read_target_address
from pao.clients.outgoing.resolver import EgressResolver
from tests.support.outgoing_calls import FakeResolver, call


@pytest.mark.parametrize(
    ("widest", "too_wide"), [("10.0.0.0/8", "10.0.0.0/7"), ("fd00::/16", "fc00::/15")]
)
def test_a_network_may_be_so_wide_and_no_wider(widest: str, too_wide: str) -> None:
    assert EgressRules.parse([widest]).rules
    with pytest.raises(RuleError, match="too wide"):
        EgressRules.parse([too_wide])


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
    address = read_target_address("93.184.216.34")
    if allowed:
        rules.check_host(host, 443)
        rules.check_address(host, address, 443)
        return
    with pytest.raises(AddressRefusedError, match="not among the hosts"):
        rules.check_host(host, 443)


@pytest.mark.parametrize("entry", ["api.example.com:8443", "*.example.com:8443"])
def test_a_name_with_a_port_is_listed_for_that_port_alone(entry: str) -> None:
    rules, address = EgressRules.parse([entry]), read_target_address("93.184.216.34")
    assert rules.lists("api.example.com", 8443)
    assert not rules.lists("api.example.com", 443)
    for judge in (rules.check_host, rules.check_name):
        judge("api.example.com", 8443)
        with pytest.raises(AddressRefusedError, match=r"api\.example\.com:443"):
            judge("api.example.com", 443)
    rules.check_address("api.example.com", address, 8443)
    with pytest.raises(AddressRefusedError, match="not among the hosts"):
        rules.check_address("api.example.com", address, 443)


def test_a_network_lists_the_addresses_in_it_and_no_name() -> None:
    rules = EgressRules.parse(["10.1.0.0/16", "[fd00::1]:8443"])
    assert rules.lists("10.1.2.3", 443)
    assert rules.lists("fd00::1", 8443)
    assert not rules.lists("fd00::1", 443)
    assert not rules.lists("10.2.0.1", 443)
    assert not rules.lists("x.example", 443)


def test_a_network_may_be_named_by_any_address_in_it() -> None:
    rules = EgressRules.parse(["10.1.2.3/16"])
    rules.check_address("x.example", read_target_address("10.1.255.255"), 443)


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
    names = FakeResolver(api_example_com=[["10.1.2.3"]])
    guide = EgressResolver(EgressRules.parse(["10.1.0.0/16:8443", "far.example.com:8443"]), names)
    await guide.check_for_proxy("api.example.com", 8443)
    await guide.check_for_proxy("far.example.com", 8443)
    with pytest.raises(AddressRefusedError, match=r"api\.example\.com: it leads to 10\.1\.2\.3"):
        await guide.check_for_proxy("api.example.com", 443)
    with pytest.raises(AddressRefusedError, match=r"far\.example\.com:443"):
        await guide.check_for_proxy("far.example.com", 443)


async def test_a_host_that_is_not_listed_is_not_even_resolved() -> None:
    names = FakeResolver()
    with pytest.raises(AddressRefusedError):
        await call("https://evil.example/", "api.example.com", names=names)
    assert names.asked == []


def test_a_star_beside_other_entries_lets_every_public_address_in() -> None:
    rules = EgressRules.parse(["*", "10.1.0.0/16"])
    rules.check_address("x.example", read_target_address("93.184.216.34"), 443)
    rules.check_address("x.example", read_target_address("10.1.2.3"), 443)
    with pytest.raises(AddressRefusedError):
        rules.check_address("x.example", read_target_address("10.2.0.1"), 443)


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
