"""Secrets that people would read, and credentials that are written in the document."""

import pytest
import yaml

from tests.catalog.validation.example_items import call, form, item, rules


@pytest.mark.parametrize(
    ("text", "is_seen"),
    [
        ("{{#if fields.key}}a key was given{{/if}}", False),
        ("{{ 'set' if fields.key else 'none' }}", False),
        ("{{len(fields.key)}} characters", False),
        ("{{ fields.key | length }}", False),
        ("{{ fields.key is defined }}", False),
        ("{{fields.key}}", True),
        ("{{upper(fields.key)}}", True),
        ("{{fields.key | hash}}", True),
        ("{{ fields.key if fields.key else 'none' }}", True),
        ("{{ fields.key or 'none' }}", True),
        ("{{#with fields.key}}{{this}}{{/with}}", True),
        ("{{json fields}}", True),
    ],
)
def test_a_secret_is_in_sight_where_its_text_is_shown(text: str, *, is_seen: bool) -> None:
    fields = form("{id: key, name: Key, type: password, validation: {minLength: 8}}")
    step = {"type": "jira-ticket", "config": {"ticket": {"summaryTemplate": text}}}
    whole = yaml.safe_dump({"fulfillment": {"manual": {"actions": [step]}}})

    assert ("secret-in-sight" in rules(item(f"{fields}\n{whole}"))) is is_seen


@pytest.mark.parametrize(
    "config",
    [
        {"authentication": {"type": "bearer", "token": "ghp_" + "a1B2" * 9}},
        {"authentication": {"type": "basic", "username": "svc", "password": "hunter2"}},
        {"authentication": {"type": "api-key", "header": "X", "key": "abc"}},
        {"headers": {"Authorization": "Bearer abc"}},
        {"body": {"type": "text", "contentTemplate": "key AKIA" + "A" * 16}},
    ],
)
def test_a_credential_in_the_document_is_in_sight(config: dict[str, object]) -> None:
    assert "secret-in-sight" in rules(call(**config))


# Written in two parts, so that nobody takes them for tokens that were lost.
TOKENS = [
    "npm_" + "a1B2" * 9,
    "\\n" + "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 9,
    "glpat-" + "a1B2" * 9,
    "xoxb-" + "a1B2" * 9,
    "AKIA" + "A1B2" * 4,
    "AIza" + "a1B2c" * 7,
    "sk_live_" + "a1B2" * 9,
    "sk-" + "proj-" + "a1B2" * 9,
    "a=%20" + "hvs." + "aB3" * 10,
    "xapp-1-" + "A0" * 10,
    "https://hooks.slack.com/services/T0001/B0001/" + "aB3" * 8,
    "ATATT3xFf" + "aB3" * 10,
    "ATCTT3xFf" + "aB3" * 10,
    "hvs." + "aB3" * 10,
    "dckr_pat_" + "aB3" * 10,
    "pypi-AgE" + "aB3" * 10,
    "glrt-" + "aB3" * 10,
    "GOCSPX-" + "aB3" * 10,
    "aws_secret_access_key = " + "aB3d" * 10,
    "AccountKey=" + "aB3d" * 12,
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.x",
    "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
    "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----",
]


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_known_by_its_form_wherever_it_stands(token: str) -> None:
    assert "secret-in-sight" in rules(call(body={"type": "text", "contentTemplate": token}))
    described = item(yaml.safe_dump({"metadata": {"runbook": f"with {token}"}}))
    assert "secret-in-sight" in rules(described)


@pytest.mark.parametrize(
    "config",
    [
        {"headers": {"Private-Token": "abc"}},
        {"headers": {"Proxy-Authorization": "Basic abc"}},
        {"headers": {"X-Api-Key": "abc"}},
        {"headers": {"X-Api-Token": "abc"}},
        {"headers": {"X-Auth-Key": "abc"}},
        {"headers": {"X-Auth-Token": "abc"}},
        {"query": {"passwd": "abc"}},
        {"query": {"token": "abc"}},
        {"query": {"apikey": "abc"}},
        {"query": {"clientsecret": "abc"}},
        {"query": {"client-secret": "abc"}},
        {"query": {"clientSecret": "abc"}},
        {"query": {"secretaccesskey": "abc"}},
        {"query": {"aws_secret_access_key": "abc"}},
        {"query": {"secretAccessKey": "abc"}},
        {"query": {"privateKey": "abc"}},
        {"query": {"x-authkey": "abc"}},
        {"headers": {"Cookie": "session=abc"}},
        {"query": {"access_key": "abc"}},
        {"body": {"type": "json", "content": {"adminPassword": "abc"}}},
        {"endpoint": {"url": "https://svc:abc@x.example.com", "method": "POST"}},
    ],
)
def test_a_credential_is_known_by_its_key_or_place(config: dict[str, object]) -> None:
    assert "secret-in-sight" in rules(call(**config))


def test_the_call_for_the_choices_of_a_field_holds_no_credential() -> None:
    def field(token: str) -> str:
        source = f"https://x.example.com, authentication: {{type: bearer, token: '{token}'}}"
        options = f"{{from: http, url: {source}}}"
        return item(form(f"{{id: x, name: X, type: select, options: {options}}}"))

    assert "secret-in-sight" in rules(field("abc"))
    assert "secret-in-sight" not in rules(field("{{secrets.inventory_token}}"))


@pytest.mark.parametrize(
    "text",
    [
        "npm_install",
        "the token of AWS",
        "sk-learn",
        "https://x.example.com:8443/a@b",
        "SG.",
        "helpdesk-proj-customer-onboarding-form",
        "risk-ant-platform-database-a1",
        "MSG.deployment-succeeded.notification-template",
        "FORMATBB-----------------------",
    ],
)
def test_what_only_looks_a_little_like_one_is_no_credential(text: str) -> None:
    assert rules(call(body={"type": "text", "contentTemplate": text})) == []


@pytest.mark.parametrize(
    "config",
    [
        {"query": {"pageToken": "a", "nextToken": "b", "next_page_token": "c", "NextToken": "d"}},
        {"query": {"continuationToken": "a", "$skiptoken": "b"}},
        {"endpoint": {"url": "https://x.example.com:8443?mail=ops@example.com", "method": "POST"}},
        {"endpoint": {"url": "https://x.example.com?at=10:30@b", "method": "POST"}},
    ],
)
def test_paging_and_addresses_with_an_at_sign_are_no_credentials(config: dict[str, object]) -> None:
    assert "secret-in-sight" not in rules(call(**config))


def test_a_secret_of_the_store_is_not_in_sight_where_it_is_sent() -> None:
    authentication = {"type": "bearer", "token": "{{secrets.dns_token}}"}

    assert rules(call(authentication=authentication)) == []
