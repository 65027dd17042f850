import re

from hypothesis import given
from hypothesis import strategies as st

from pao.core.names import MASK, mark, masked, request_id_of, workflow_id

TEXT = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | TEXT.map("pao:enc:{}".format),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(request=TEXT, action=TEXT)
def test_a_mark_is_a_label_that_jira_takes_and_always_the_same(request: str, action: str) -> None:
    assert re.fullmatch(r"pao-[0-9a-f]{12}", mark(request, action))
    assert mark(request, action) == mark(request, action)


def test_the_mark_of_a_known_action_never_changes() -> None:
    # Tickets that exist carry it: another derivation would make every look blind to them.
    assert mark("7f3c2a10-0000-4000-8000-000000000001", "ticket") == "pao-2c4079541268"


def test_a_workflow_s_id_names_its_request() -> None:
    assert workflow_id("7f3c2a10") == "request-7f3c2a10"
    assert request_id_of(workflow_id("7f3c2a10")) == "7f3c2a10"


def test_an_action_that_left_something_behind_has_another_mark() -> None:
    marks = [mark("r", "a", moves) for moves in (0, 1, 2, 11)]
    assert len(set(marks)) == 4
    assert marks[0] == mark("r", "a")


def test_marks_of_different_actions_differ() -> None:
    marks = {mark(request, action) for request in ("a", "b", "ab") for action in ("b", "c", "bc")}
    assert len(marks) == 9


def test_the_workflow_of_a_request_is_found_by_its_id() -> None:
    assert workflow_id("abc") == "request-abc"


@given(JSON)
def test_nothing_sealed_is_left_after_masking(value: object) -> None:
    assert "pao:enc:" not in repr(strip_keys(masked(value)))


@given(JSON)
def test_masking_twice_changes_nothing_more(value: object) -> None:
    assert masked(masked(value)) == masked(value)


def test_masking_leaves_the_original_and_everything_else_alone() -> None:
    value = {"a": ["pao:enc:v1:k:x", "plain"], "b": {"c": 1}}
    assert masked(value) == {"a": [MASK, "plain"], "b": {"c": 1}}
    assert value["a"] == ["pao:enc:v1:k:x", "plain"]


def strip_keys(value: object) -> object:
    """Return the values of a JSON document alone: keys are names of fields, never secrets."""
    if isinstance(value, dict):
        return [strip_keys(member) for member in value.values()]
    return [strip_keys(member) for member in value] if isinstance(value, list) else value
