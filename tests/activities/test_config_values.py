"""What a template gave no value for is left out of lists and custom fields, in every type."""

from typing import Any

import pytest

from activities.actions.approval import ApprovalConfig
from activities.actions.jira_ticket_config import JiraTicketConfig
from activities.actions.rest_api import ACTION as REST
from activities.config_values import without_nulls
from activities.configuration_validators import reader_for, validator_for
from activities.github.commit_config import GitCommitConfig


def test_lists_of_texts_have_no_empty_items() -> None:
    ticket = JiraTicketConfig.model_validate(
        {
            "ticket": {
                "summaryTemplate": "s",
                "labels": ["a", None, "", "  "],
                "components": None,
                "links": [{"key": None}, {"key": ""}, {"key": "A-1"}],
                "customFields": {"customfield_1": {"value": None}, "customfield_2": 0},
            }
        }
    ).ticket
    assert (ticket.labels, ticket.components) == (("a",), ())
    assert [link.key for link in ticket.links] == ["A-1"]
    assert ticket.custom_fields == {"customfield_2": 0}

    approval = ApprovalConfig.model_validate({"approvers": {"users": [None, "ann"], "teams": None}})
    assert (approval.approvers.users, approval.approvers.teams) == (("ann",), ())

    commit = GitCommitConfig.model_validate(
        {
            "repository": "a/b",
            "branch": "main",
            "files": [{"path": "x", "contentTemplate": "x"}],
            "commitMessage": "m",
            "createPullRequest": True,
            "reviewers": [None, "", "@ann"],
        }
    )
    assert commit.reviewers == ("ann",)

    call = {"endpoint": {"url": "https://a.example"}, "query": {"q": ["a", None], "r": None}}
    assert REST.config.model_validate(call).query["q"] == ["a"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"a": None, "b": {"c": None}, "d": [None]}, {}),
        (
            {"a": {}, "b": [], "c": "", "d": False, "e": 0},
            {"a": {}, "b": [], "c": "", "d": False, "e": 0},
        ),
        ({"a": [{"value": None}, {"value": "x"}]}, {"a": [{"value": "x"}]}),
        ({"a": {"value": "x", "child": {"value": None}}}, {"a": {"value": "x"}}),
    ],
)
def test_what_is_empty_without_its_nulls_goes_with_them(given: Any, kept: Any) -> None:
    assert without_nulls(given) == kept


def test_a_reader_changes_nothing_but_what_is_left_out() -> None:
    given = {"ticket": {"summaryTemplate": "s", "labels": ["a", None]}, "waitFor": "created"}
    read = reader_for(JiraTicketConfig)(given)
    assert read == {"ticket": {"summaryTemplate": "s", "labels": ["a"]}, "waitFor": "created"}
    assert reader_for(JiraTicketConfig)({"ticket": {}}) == {"ticket": {}}


def test_a_judge_names_the_place_and_no_value() -> None:
    [problem] = validator_for(JiraTicketConfig)({"ticket": {"summaryTemplate": {"s3cr3t": 1}}})
    assert problem.place == ("ticket", "summaryTemplate")
    assert "s3cr3t" not in problem.message
