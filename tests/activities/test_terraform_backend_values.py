"""Whoever enters a value does not say where Terraform goes with the operator's credentials."""

from typing import Any

import pytest

from activities.actions.terraform import ACTION
from catalog.action_rendering import render_action
from catalog.scopes import ScopeContext
from catalog.templating import TemplateError
from tests.support.actions import ActionRunner, validate_config


def backend(kind: str, **config: Any) -> dict[str, Any]:
    return {
        "source": {"git": "https://git.example.com/modules"},
        "backend": {"type": kind, "config": config},
    }


def rendered(
    config: dict[str, Any],
    value: str,
    *,
    environment: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
) -> dict[str, Any]:
    request = ActionRunner(ACTION).request(config, title=value)
    [action] = request.plan
    made = render_action(
        action,
        request.context,
        ScopeContext(variables=environment or {}),
        targets=ACTION.targets,
        secrets={},
        outputs={},
        kept=secrets or {},
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
        {"hostname": "{{fields.title}}.example.com"},
        {"domain": "{{fields.title}}.example.com:443"},
    ],
)
def test_a_value_in_an_address_of_a_backend_is_part_of_its_host(settings: dict[str, Any]) -> None:
    config = backend("s3", bucket="states", **settings)
    with pytest.raises(TemplateError, match="a value within the host holds more than a name"):
        rendered(config, "evil.example.com/x?")
    [problem] = validate_config(ACTION, config, title="evil.example.com/x?")
    assert problem.field == "title"
    assert validate_config(ACTION, config, title="eu-1") == []


@pytest.mark.parametrize("key", ["bucket", "region", "storage_account_name"])
def test_a_value_in_the_name_of_a_host_ends_no_host(key: str) -> None:
    made = rendered(backend("remote", **{key: "{{fields.title}}"}), "evil.example.com/x?")
    assert made == {key: "evil.example.com%2Fx%3F"}


@pytest.mark.parametrize("key", ["key", "path", "prefix", "workspace_key_prefix"])
@pytest.mark.parametrize("value", ["other/prod", "other\\prod"])
def test_a_value_in_the_path_of_a_state_is_one_name(key: str, value: str) -> None:
    config = backend("s3", **{key: "teams/{{fields.title}}/state"})
    [problem] = validate_config(ACTION, config, title=value)
    assert problem.field == "title"
    assert "a value within the path holds a slash" in problem.message
    assert rendered(config, "My team") == {key: "teams/My team/state"}


def test_one_value_may_be_the_whole_path() -> None:
    assert rendered(backend("s3", key="{{fields.title}}"), "a/b") == {"key": "a/b"}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("hostname", "app.example.com{{fields.title}}", ".evil.com"),
        ("domain", "cos.example.com{{fields.title}}", "pany"),
        ("endpoint", "s3.example.com{{fields.title}}:9000", ".evil.com"),
        ("endpoint", "https://s3-{{fields.title}}", "x.evil.com"),
        ("conn_str", "postgres://u@db{{fields.title}},db2/x", ".evil.com"),
        ("conn_str", "host=db{{fields.title}} dbname=x", ".evil.com"),
        ("conn_str", "dbname=x host = 'db.example.com{{fields.title}}'", "pany"),
        ("conn_str", "user='it\\'s me' hostaddr=10.0.0.1{{fields.title}}", "2"),
    ],
)
def test_a_value_extends_no_host_of_a_backend(key: str, text: str, value: str) -> None:
    with pytest.raises(TemplateError, match="a value extends the host name"):
        rendered(backend("s3", **{key: text}), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("host=db {{fields.title}}", "host=evil.com"),
        ("host=db {{fields.title}}=x", "hostaddr"),
        ("host={{fields.title}} dbname=x", ""),
        ("host={{fields.title}}.example.com", "evil.com,x"),
        ("host={{fields.title}}.example.com", "evil.com x"),
    ],
)
def test_a_value_in_a_connection_string_is_part_of_one_setting(text: str, value: str) -> None:
    with pytest.raises(TemplateError, match=r"outside the settings|holds more than a name"):
        rendered(backend("pg", conn_str=text), value)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("host=db dbname={{fields.title}}", "host=db dbname=it\\'s\\ host=evil"),
        ("host=db dbname='tf {{fields.title}}'", "host=db dbname='tf it\\'s\\ host=evil'"),
    ],
)
def test_a_value_in_a_setting_of_a_connection_ends_no_setting(text: str, made: str) -> None:
    assert rendered(backend("pg", conn_str=text), "it's host=evil") == {"conn_str": made}


@pytest.mark.parametrize(
    ("key", "text", "made"),
    [
        (
            "conn_str",
            "host=db password={{secrets.VALUE}} dbname=tf",
            "host=db password=% dbname=tf",
        ),
        ("conn_str", "postgres://tf:{{secrets.VALUE}}@db/tf", "postgres://tf:%@db/tf"),
        ("endpoint", "https://{{environment.VALUE}}", "https://%"),
        ("endpoints", {"s3": "https://{{environment.VALUE}}"}, {"s3": "https://%"}),
        ("http_proxy", "http://{{secrets.VALUE}}@proxy:3128", "http://%@proxy:3128"),
        ("hostname", "tfe.{{environment.VALUE}}", "tfe.%"),
        ("bucket", "states-{{environment.VALUE}}", "states-%"),
        ("key", "states/{{environment.VALUE}}", "states/%"),
    ],
)
@pytest.mark.parametrize("value", ["minio.internal:9000", "p%40ss", "p@ss:w"])
def test_what_the_operator_has_set_stands_in_a_backend_as_it_is(
    key: str, text: Any, made: Any, value: str
) -> None:
    known = {"VALUE": value}
    config = rendered(backend("s3", **{key: text}), "x", environment=known, secrets=known)
    expected = made if isinstance(made, str) else made["s3"]
    found = config[key] if isinstance(made, str) else config[key]["s3"]
    assert found == expected.replace("%", value)
