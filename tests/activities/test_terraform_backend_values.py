"""Whoever enters a value does not say where Terraform goes with the operator's credentials."""

from typing import Any

import pytest

from activities.actions.terraform import ACTION
from catalog.action_rendering import render_action
from catalog.scopes import ScopeContext
from catalog.templating import TemplateError
from tests.support.actions import Stage, judged


def backend(kind: str, **config: Any) -> dict[str, Any]:
    return {
        "source": {"git": "https://git.example.com/modules"},
        "backend": {"type": kind, "config": config},
    }


def rendered(config: dict[str, Any], value: str) -> dict[str, Any]:
    request = Stage(ACTION).request(config, title=value)
    [action] = request.plan
    made = render_action(
        action, request.context, ScopeContext(), targets=ACTION.targets, secrets={}, outputs={}
    )
    settings: dict[str, Any] = made["backend"]["config"]
    return settings


def test_a_value_in_a_connection_string_names_no_other_host() -> None:
    text = "postgres://states.example.com/{{fields.title}}?sslmode=require"
    made = rendered(backend("pg", conn_str=text), "x?host=evil.example.com&sslmode=disable&a=")
    told = "x%3Fhost%3Devil.example.com%26sslmode%3Ddisable%26a%3D"
    assert made == {"conn_str": f"postgres://states.example.com/{told}?sslmode=require"}


@pytest.mark.parametrize(
    "settings",
    [
        {"endpoint": "https://{{fields.title}}.s3.example.com"},
        {"endpoints": {"s3": "https://{{fields.title}}.s3.example.com"}},
        {"lock_address": "https://{{fields.title}}.states.example.com"},
        {"storage_custom_endpoint": "https://{{fields.title}}.states.example.com"},
        {"http_proxy": "http://{{fields.title}}.example.com"},
    ],
)
def test_a_value_in_an_address_of_a_backend_is_part_of_its_host(settings: dict[str, Any]) -> None:
    config = backend("s3", bucket="states", **settings)
    with pytest.raises(TemplateError, match="a value within the host holds more than a name"):
        rendered(config, "evil.example.com/x?")
    [problem] = judged(ACTION, config, title="evil.example.com/x?")
    assert problem.field == "title"
    assert judged(ACTION, config, title="eu-1") == []


@pytest.mark.parametrize("key", ["hostname", "region", "storage_account_name"])
def test_a_value_in_the_name_of_a_host_ends_no_host(key: str) -> None:
    made = rendered(backend("remote", **{key: "{{fields.title}}"}), "evil.example.com/x?")
    assert made == {key: "evil.example.com%2Fx%3F"}


@pytest.mark.parametrize("key", ["key", "path", "prefix", "workspace_key_prefix"])
@pytest.mark.parametrize("value", ["other/prod", "other\\prod"])
def test_a_value_in_the_path_of_a_state_is_one_name(key: str, value: str) -> None:
    config = backend("s3", **{key: "teams/{{fields.title}}/state"})
    [problem] = judged(ACTION, config, title=value)
    assert problem.field == "title"
    assert "a value within the path holds a slash" in problem.message
    assert rendered(config, "My team") == {key: "teams/My team/state"}


def test_one_value_may_be_the_whole_path() -> None:
    assert rendered(backend("s3", key="{{fields.title}}"), "a/b") == {"key": "a/b"}
