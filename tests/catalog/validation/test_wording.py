"""What other tools write is understood, and every finding says in our own words what is meant."""

import pytest
import yaml

from catalog.model import CatalogItem
from tests.catalog.validation.example_items import action, item, told


def field(about: str) -> str:
    """Return the form of one field, described in flow YAML."""
    fields = f"[{{id: x, name: X, {about}}}]"
    return f"presentation: {{form: {{groups: [{{id: a, name: A, fields: {fields}}}]}}}}"


def text_field(about: str) -> str:
    """Return the form of one text field."""
    return field(f"type: string, {about}")


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        (text_field("validation: {minimum: 1}"), "unknown key 'minimum' (write min)"),
        (text_field("maximum: 1"), "unknown key 'maximum' (write max, under validation)"),
        (text_field("maxLength: 1"), "unknown key 'maxLength' (it belongs under validation)"),
        ("apiVersion: catalog/v1", "unknown key 'apiVersion' (write schemaVersion)"),
        (
            text_field("conditional: {dependsOn: x, condition: eq, value: a}"),
            "not 'eq'; did you mean 'equals'?",
        ),
        (field("type: dropdown"), "did you mean 'select'?"),
        ("fulfillment: {strategy: {mode: auto}}", "did you mean 'automatic'?"),
        ("metadata: {id: ''}", "metadata.id must not be empty"),
        ("metadata: {cost: {baseMonthly: many}}", "baseMonthly must be a number, not 'many'"),
        (text_field("conditional: {dependsOn: x}"), "conditional: dependsOn and condition"),
    ],
)
def test_a_word_of_another_tool_is_told_with_ours(fragment: str, said: str) -> None:
    assert said in " | ".join(message for _, message in told(item(fragment)))


def test_no_text_of_the_library_that_reads_documents_shows() -> None:
    wrong = ["", "x", 0, -1, 1.5, True, None, [], [1], {}, {"a": 1}]
    said: list[str] = []
    for key in CatalogItem.model_fields:
        said += [message for value in wrong for _, message in told(item(f"{key}: {value!r}"))]
    for value in wrong:
        for key in ("id", "name", "version", "owner", "tags", "sla", "cost", "access"):
            said += [message for _, message in told(item(f"metadata: {{{key}: {value!r}}}"))]

    assert said
    for words in ("Input should", "String should", "List should", "should be a valid", "pydantic"):
        assert not [message for message in said if words in message]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("jira", "jira-ticket"), ("http", "rest-api"), ("slack", "notification")],
)
def test_an_action_type_of_another_tool_is_told_with_ours(name: str, meant: str) -> None:
    ((rule, message),) = told(action(name, "{}"))

    assert rule == "action-type"
    assert f"did you mean {meant!r}?" in message


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("{{user.email}}", "request.user.email"),
        ("{{requester.email}}", "request.user.email"),
        ("{{system.now}}", "system.datetime"),
        ("{{system.userEmail}}", "request.user.email"),
        ("{{request.requestId}}", "request.id"),
        ("{{parameters.name}}", "fields.name"),
        ("{{request.user.groups}}", "request.user.teams"),
        ("{{capitalize(fields.name)}}", "title"),
        ("{{fields.name | toUpperCase}}", "upper"),
        ("{{ fields.size > 1 && fields.encrypted }}", "fields.size > 1 and fields.encrypted"),
        ("{{ fields.stage === 'test' }}", "fields.stage == 'test'"),
        ("{{ !fields.encrypted }}", "not fields.encrypted"),
        ("{{ fields.name || 'x' }}", "fields.name or 'x'"),
    ],
)
def test_a_template_of_another_language_is_told_with_ours(tag: str, meant: str) -> None:
    ((_, message),) = told(action("jira-ticket", f'{{ticket: {{summaryTemplate: "{tag}"}}}}'))

    assert message.endswith(f"(did you mean {meant}?)")


ADDRESS = 'endpoint: {url: "https://x.example.com", method: POST}'


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            f"{{{ADDRESS}, authentication: {{type: bearr}}}}",
            "basic, bearer, none or oauth2, not 'bearr'; did you mean 'bearer'?",
        ),
        (
            f"{{{ADDRESS}, authentication: {{token: '{{{{secrets.x}}}}'}}}}",
            "type is missing in authentication (write type: api-key or aws-sigv4 or basic",
        ),
        (
            f"{{{ADDRESS}, authentication: {{type: basic, usrname: a, password: ''}}}}",
            "unknown key 'usrname'; did you mean 'username'? (known here: type, username,",
        ),
        (f"{{{ADDRESS}, authentication: bearer}}", "authentication must be a mapping"),
        (
            f"{{{ADDRESS}, body: {{type: jsn, contentTemplate: '1'}}}}",
            "type must be json, form, multipart, text or xml, not 'jsn'; did you mean 'json'?",
        ),
        (f"{{{ADDRESS}, body: 'x'}}", "body must be a mapping of keys to values, not 'x'"),
        (
            '{url: "https://x.example.com"}',
            "unknown key 'url' (it belongs under endpoint)",
        ),
        (f"{{{ADDRESS}, timeout: soon}}", "timeout must be a number, not 'soon'"),
    ],
)
def test_of_a_union_the_key_and_the_allowed_types_are_told(config: str, said: str) -> None:
    ((rule, message),) = told(action("rest-api", config))

    assert rule == "action-config"
    assert said in message


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("rest-api", "{endpoint: {}}", "unknown key 'endpoint' (it belongs under config)"),
        ("rest-api", "{url: x}", "unknown key 'url' (it belongs under config.endpoint)"),
        ("jira-ticket", "{project: NET}", "unknown key 'project' (it belongs under config.ticket)"),
        ("rest-api", "{zzz: 1}", "unknown key 'zzz' (known here: id, name, type, config,"),
        (
            "rest-api",
            "{config: {endpoint: {url: 'https://x.example.com', method: POST, headers: {}}}}",
            "unknown key 'headers' (it belongs under config)",
        ),
        (
            "rest-api",
            "{config: {endpoint: {url: 'https://x.example.com', method: POST}, when: 'true'}}",
            "unknown key 'when' (it belongs beside config)",
        ),
    ],
)
def test_a_key_at_another_level_is_told_where_it_belongs(kind: str, given: str, said: str) -> None:
    step = {"id": "step", "type": kind, **yaml.safe_load(given)}
    text = item(yaml.safe_dump({"fulfillment": {"manual": {"actions": [step]}}}))

    assert any(message.startswith(said) for _, message in told(text)), told(text)
