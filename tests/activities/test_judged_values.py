"""A value that the worker would refuse is refused at submission, by the field it comes from."""

from typing import Any

import pytest

from activities.actions.jira_ticket import ACTION as JIRA
from activities.actions.notification import ACTION as NOTIFICATION
from activities.actions.rest_api import ACTION as REST
from activities.actions.webhook import ACTION as WEBHOOK
from activities.base import Action
from activities.configuration_validators import validator_for
from pao.core.names import MASK
from tests.support.actions import validate_config

URL = "https://a.example.com/x"
SIGNED = {"type": "aws-sigv4", "accessKeyId": "A", "secretAccessKey": "s", "region": "r"}


def call(**config: Any) -> dict[str, Any]:
    return {"endpoint": {"url": URL}, **config}


def authentication(**given: str) -> dict[str, Any]:
    return call(authentication=given)


def to(url: str) -> dict[str, Any]:
    return {"endpoint": {"url": url}}


def webhook(url: str) -> dict[str, Any]:
    return {"url": url, "secret": "0123456789abcdef"}


def message(url: str) -> dict[str, Any]:
    return {"url": url, "text": "x"}


def ticket(**more: Any) -> dict[str, Any]:
    return {"ticket": {"project": "P", "summaryTemplate": "x", **more}}


VALUE = "{{fields.title}}"
LINES = "a\nb"


@pytest.mark.parametrize(
    ("action", "config", "value", "said"),
    [
        (REST, to(VALUE), URL, "must begin with https://"),
        (REST, to(f"https://a.example.com:{VALUE}/x"), "99999", "from 1 to 65535"),
        (REST, to(f"https://a.example.com:{VALUE}/x"), "abc", "not a valid URL"),
        (REST, to(f"https://{VALUE}.example.com/x"), "a..b", "not a valid name"),
        (REST, call(look={"url": f"https://{VALUE}/", "found": {"path": "$"}}), "xn--", "valid"),
        (NOTIFICATION, message(VALUE), "not a url", "must begin with https://"),
        (NOTIFICATION, message(VALUE), "https://a.example.com/b/../c", "comes out as . or .."),
        (WEBHOOK, webhook(f"https://a.example.com:{VALUE}"), "70000", "from 1 to 65535"),
        (REST, authentication(type="api-key", key=VALUE), LINES, "line break"),
        (REST, authentication(type="api-key", key="k", name=VALUE), "X Key", "HTTP does not allow"),
        (REST, authentication(type="bearer", token=VALUE), LINES, "line break"),
        (REST, authentication(**SIGNED | {"accessKeyId": VALUE}), LINES, "line break"),
        (REST, authentication(**SIGNED, sessionToken=VALUE), LINES, "line break"),
        (REST, authentication(**SIGNED | {"region": VALUE}), LINES, "line break"),
        (REST, authentication(type="basic", username=VALUE, password="p"), "root:x", "colon"),
        (
            REST,
            authentication(type="oauth2", tokenUrl=URL, clientId=VALUE, clientSecret="s"),
            "a:b",
            "colon",
        ),
        (REST, call(idempotencyHeader=VALUE), LINES, "HTTP does not allow"),
        (JIRA, ticket(summaryTemplate=f" {VALUE} "), "\n \t", "JIRA needs a summary"),
        (JIRA, ticket(links=[{"key": VALUE}]), "not a key", "not the key of a ticket"),
        (JIRA, ticket(epicKey=VALUE), "../x", "not the key of a ticket"),
    ],
)
def test_a_value_that_cannot_be_sent_is_told_at_submission(
    action: Action[Any], config: dict[str, Any], value: str, said: str
) -> None:
    [problem] = validate_config(action, config, title=value)
    assert problem.field == "title"
    assert said in problem.message


def test_a_header_that_cannot_be_named_so_is_told_at_submission() -> None:
    [problem] = validate_config(REST, call(headers={"X Bad Name": "x"}), title="x")
    assert "headers.X Bad Name" in problem.message


@pytest.mark.parametrize(
    ("action", "config"),
    [
        (REST, to(f"https://{MASK}.example.com/x")),
        (REST, authentication(type="bearer", token=MASK)),
        (REST, authentication(type="api-key", place="query", name="the key", key=LINES)),
        (REST, call(idempotencyHeader=" ")),
        (
            REST,
            authentication(
                type="oauth2", tokenUrl=URL, clientId="a:b", clientSecret="s", style="body"
            ),
        ),
        (NOTIFICATION, message(MASK)),
        (JIRA, ticket(epicKey=" ", links=[{"key": MASK}, {"key": "db-1"}])),
    ],
)
def test_what_is_fine_or_not_known_yet_is_not_refused(
    action: Action[Any], config: dict[str, Any]
) -> None:
    assert validator_for(action.config)(config) == ()


def test_blanks_around_the_key_of_a_ticket_are_no_part_of_it() -> None:
    config = JIRA.config.model_validate(ticket(epicKey=" NET-1\n", links=[{"key": " NET-2 "}]))
    assert config.ticket.epic_key == "NET-1"
    assert [link.key for link in config.ticket.links] == ["NET-2"]


def test_a_blank_idempotency_header_is_none() -> None:
    assert REST.config.model_validate(call(idempotencyHeader="")).idempotency_header is None


def test_what_a_person_saw_is_the_key_of_a_ticket() -> None:
    config = JIRA.config.model_validate(ticket())
    seen = {"key": "..", "id": "1", "url": URL}
    with pytest.raises(ValueError, match="not the key of a ticket"):
        JIRA.from_evidence(config, seen)
    assert JIRA.from_evidence(config, seen | {"key": "P-1"}).external_reference == "P-1"
