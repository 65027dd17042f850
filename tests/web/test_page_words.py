"""Words that several pages share: health, conditions, lengths, what was made. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.requests.schemas import Action, DecisionRecord
from api.requests.schemas.action import ACTION
from api.requests.schemas.dry_run import DRY_RUN
from api.requests.schemas.request import REQUEST
from api.web.pages.admin.browsers import browser_in_words
from api.web.pages.admin.health import row_of
from api.web.pages.catalog.views import length_in_words
from api.web.pages.request.notes import choices_of, labels_of, note_of
from api.web.pages.request.results import results_of
from api.web.pages.request.timeline import timeline
from api.web.pages.request_form.review import sentence_of
from api.web.words import condition_in_words, did
from catalog.forms.definition import FormDefinition
from pao.core.states import Decision

NOW = datetime(2026, 11, 30, 10, 41, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("latencyMs", 53.24, ("latency", "53 ms")),
        ("lagSeconds", 0.0, ("lag", "0 s")),
        ("reconciledAt", (NOW - timedelta(minutes=3)).isoformat(), ("reconciled", "3 min ago")),
        ("revision", "f80de1d281b6dcedc34e88af44a73082", ("revision", "f80de1d281b6")),
        ("lastError", "It answered 503.", ("last error", "It answered 503")),
        ("unread", ["a", "b"], ("unread", "a, b")),
    ],
)
def test_a_fact_of_health_is_told_with_its_unit(
    key: str, value: Any, words: tuple[str, str]
) -> None:
    row = row_of("Database", {"status": "degraded", key: value, "ageSeconds": 3, "empty": []}, NOW)
    assert (row.word, row.facts) == ("Degraded", [words])


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "HeadlessChrome/153.0.8010.0 Safari/537.36"
            ),
            "Chrome 153, Linux",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/150.0.0.0 Safari/537.36 Edg/150.0.3500.1"
            ),
            "Edge 150, Windows",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 "
                "(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
            ),
            "Safari 26, iOS",
        ),
        ("curl/8.1", "curl/8.1"),
        (None, "unknown"),
    ],
)
def test_a_browser_is_named_in_short(agent: str | None, words: str) -> None:
    assert browser_in_words(agent) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [("4h", "4 hours"), ("1d", "1 day"), ("30m", "30 minutes"), ("soon", "soon"), (None, None)],
)
def test_a_length_is_written_out(text: str | None, words: str | None) -> None:
    assert length_in_words(text) == words


def test_a_condition_names_fields_as_the_form_does() -> None:
    labels = labels_of(
        {
            "presentation": {
                "form": {
                    "groups": [{"fields": [{"id": "size", "name": "Storage"}, {"id": "public"}]}]
                }
            }
        }
    )
    condition = 'fields.size > 100 and fields.public and outputs.fields.other == "fields"'
    told = 'not "Storage" or "Public"'
    assert condition_in_words("not fields.size or fields.public", labels) == told
    assert condition_in_words(condition, {"size": "Storage"}).startswith(
        '"Storage" > 100 and fields.'
    )
    skipped = action(status="skipped", reason="when fields.public: not true")
    assert note_of(skipped, labels) == 'It runs only when "Public".'
    assert note_of(action(status="skipped", reason="an earlier one failed"), labels) == (
        "an earlier one failed"
    )


def test_who_decided_what_is_told_in_the_past() -> None:
    assert did("escalate", "dana") == "Dana escalated"
    assert did("something new", "dana") == "Dana decided"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": {"old": 1, "new": 2}}, "changed Size from Small to Large"),
        ({"name": {"old": None, "new": "b"}}, "changed Host name from Not given to b"),
        ({"name": {"old": "a", "new": "b" * 61}}, "changed Host name"),
        ({"secret": {"old": "********", "new": "********"}}, "changed Secret"),
        ({"gone": {"old": 1, "new": 2}}, "changed gone"),
    ],
)
def test_a_correction_is_told_by_the_names_of_the_form(change: dict[str, Any], words: str) -> None:
    sizes = [{"value": 1, "label": "Small"}, {"value": 2, "label": "Large"}]
    fields = [
        {"id": "size", "name": "Size", "type": "select", "enum": sizes},
        {"id": "name", "name": "Host name", "type": "string"},
        {"id": "secret", "name": "Secret", "type": "password"},
    ]
    form = FormDefinition.model_validate({"groups": [{"id": "main", "fields": fields}]})
    decision = DecisionRecord(
        id="1",
        decision="retry",
        by="dana",
        via="api",
        reason=None,
        at="2026-11-30T10:41:00Z",
        accepted=True,
        outcome="done",
        message=None,
        changes=change,
        code=None,
        details=None,
    )
    request = REQUEST.model_copy(update={"decisions": [decision]})
    lines = timeline(request, [], {one.id: one for one in form.fields})
    assert words in [one.about for one in lines]


def test_what_was_made_is_named_by_its_kind() -> None:
    run = action(
        type="github-workflow",
        external_reference="90001",
        url="https://github.example.com/runs/90001",
        outputs={"id": "1", "conclusion": "success", "namespace": "orders"},
    )
    made = results_of(REQUEST.model_copy(update={"components": None, "actions": [run]}))
    assert [(one.label, one.step, one.value) for one in made] == [
        ("Workflow run", "Ticket for the database team", "90001"),
        ("namespace", "Ticket for the database team", "orders"),
    ]


def action(**more: Any) -> Action:
    return ACTION.model_copy(update=more)


@pytest.mark.parametrize(
    ("decisions", "components", "words"),
    [
        (["retry", "abort", "escalate"], None, "Decide: retry, escalate or abort"),
        (["abort", "escalate"], [], "Decide: escalate or abort"),
        (["abort", "escalate"], ["any"], "Decide: retry, escalate or abort"),
        (["abort"], None, "Decide: abort"),
        ([], None, "Decide"),
    ],
)
def test_the_button_names_what_may_be_decided(
    decisions: list[str], components: list[Any] | None, words: str
) -> None:
    possible = [Decision(one) for one in decisions]
    document = REQUEST.model_copy(update={"possible_decisions": possible, "components": components})
    assert choices_of(document) == words


def test_a_review_counts_what_runs_with_these_values() -> None:
    [action] = DRY_RUN.actions
    assert sentence_of(DRY_RUN) == "1 ticket in 1 project"
    both = [action, action.model_copy(update={"runs": None})]
    assert sentence_of(DRY_RUN.model_copy(update={"actions": both})) == "2 tickets in 1 project"
    none = DRY_RUN.model_copy(update={"actions": [action.model_copy(update={"runs": False})]})
    assert sentence_of(none) == ""
