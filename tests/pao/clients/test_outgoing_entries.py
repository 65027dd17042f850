"""Entries of PAO_EGRESS_ALLOW: how each is read, and what is said of those that cannot be."""

import pytest

from pao.clients.outgoing import EgressRules, RuleError
from pao.clients.outgoing.rules import normalize_host

NO_HOST = "is neither a host, nor *.domain, nor an address or network such as 10.1.0.0/16"


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        (" API.Example.com. ", "api.example.com"),
        ("XX.Example.XX", "xx.example.xx"),
        ("xn.b\u00fccher.example", "xn.xn--bcher-kva.example"),
        ("B\u00dcCHER.example.", "xn--bcher-kva.example"),
        ("b\u00fccher\u3002", "xn--bcher-kva"),
    ],
)
def test_a_host_has_one_spelling(host: str, normal: str) -> None:
    assert normalize_host(host) == normal


@pytest.mark.parametrize("name", ["a-b.example", "a_b", "a.b.c", "xx"])
def test_names_may_have_these_signs(name: str) -> None:
    assert EgressRules.parse([name]).lists(name, 443)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("[fd00::1]", "fd00::1", 80),
        ("[fd00::1]:8443", "fd00::1", 8443),
        ("10.1.2.3/16", "10.1.9.9", 1),
        ("host:8443", "host", 8443),
        ("10.1.0.0/16", "::ffff:10.1.9.9", 1),
        ("[::ffff:10.1.0.0/112]:8443", "10.1.9.9", 8443),
    ],
)
def test_an_entry_permits_what_it_names(entry: str, host: str, port: int) -> None:
    assert EgressRules.parse([entry]).lists(host, port)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "ho st",
            f"'ho st' {NO_HOST}",
        ),
        ("-", f"'-' {NO_HOST}"),
        ("_", f"'_' {NO_HOST}"),
        (".-", f"'.-' {NO_HOST}"),
        ("[fd00::1]]", "'[fd00::1]]' is not an address; write [fd00::1] or [fd00::1]:8443"),
        ("::ffff:0:0/96", "'::ffff:0:0/96' is too wide; write * for every public address"),
        ("[fd00::1]:", "'[fd00::1]:' has an invalid port; write host:8443, or leave it out"),
    ],
)
def test_an_entry_that_cannot_be_read_says_what_to_write(entry: str, told: str) -> None:
    with pytest.raises(RuleError) as caught:
        EgressRules.parse([entry])
    assert str(caught.value) == told
