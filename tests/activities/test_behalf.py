"""Which targets may be named to everybody: those that a document writes out, not what is typed."""

from typing import Any

import pytest

from activities.call_origin import OTHERS, acting_for, acting_item, is_named, label_of


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://api.example.com/v1/{{fields.id}}", "api.example.com"),
        ("https://api.example.com", "api.example.com"),
        (" https://API.example.com:8443?x={{fields.id}}", "api.example.com:8443"),
        ("http://[::1]:8080/x", "[::1]:8080"),
    ],
)
def test_a_host_that_is_written_out_has_a_name(url: str, target: str) -> None:
    with acting_for("an-item", {"endpoint": {"url": url}, "list": [{"n": 1}]}):
        assert (label_of(target), acting_item()) == (target, "an-item")


@pytest.mark.parametrize(
    "url",
    [
        "https://{{fields.host}}/v1",
        "https://api.{{fields.zone}}.example.com/",
        "https://api.example.com{{fields.rest}}/",
        "{{fields.url}}",
        "https://api.example.com:{{fields.port}}/",
    ],
)
def test_a_host_that_a_template_has_a_part_in_has_none(url: str) -> None:
    with acting_for("an-item", {"endpoint": {"url": url}}):
        for target in ("api.example.com", "typed.example.com", "api.x.example.com"):
            assert label_of(target) == OTHERS


def test_configured_instances_and_calls_of_our_own_have_names() -> None:
    assert is_named("anything.example.com")
    with acting_for("an-item", {}):
        assert is_named("jira:main")
        assert is_named("GitHub default")
        assert not is_named("anything.example.com")


@pytest.mark.parametrize(
    ("source", "named"),
    [({"module": "./dns"}, True), ({"git": "https://example.com/{{fields.repository}}"}, False)],
)
def test_a_target_of_another_kind_has_one_unless_a_template_made_it(
    source: dict[str, Any], *, named: bool
) -> None:
    config = {"source": source, "variables": {"zone": "{{fields.zone}}"}}
    with acting_for("an-item", config, ("source", "backend")):
        assert is_named("terraform ./dns with state in s3 bucket") == named
        assert not is_named("typed.example.com")
