"""JSONPath as rest-api evaluates it: within bounds, whatever a document or an answer says."""

import json
import threading
from typing import Any

import pytest
from pydantic import ValidationError

from activities.actions.rest.answers import ExtractError, read_outputs
from activities.actions.rest.config import RestApiConfig
from activities.actions.rest.polling import evaluate
from activities.outgoing import TargetResponse
from catalog import json_paths

EVIL = {"rows": [{"b": "a" * 40 + "!"}]}


@pytest.mark.parametrize(
    "path",
    [
        "$.rows[?search(@.b, '^(a+)+$')]",
        "$.rows[?match(@.b, '(a+)+')]",
        "$.rows[?@.b =~ /(a|aa)+$/]",
        "$.rows[?search(@.b, $.pattern)]",
    ],
)
def test_a_pattern_that_would_backtrack_for_ever_is_answered(path: str) -> None:
    assert json_paths.first(path, EVIL | {"pattern": "^(a+)+$"}) is json_paths.MISSING


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.rows[?search(@.b, 'a!')].b", "aa!"),
        ("$.rows[?match(@.b, 'a+!')].b", "aa!"),
        ("$.rows[?match(@.b, 'a+')].b", json_paths.MISSING),
        ("$.rows[?@.b =~ /A+!/i].b", "aa!"),
        ("$..b", "aa!"),
        ("$.rows[?@.b == 'aa!'].b", "aa!"),
        ("$.rows[?length(@.b) == 3].b", "aa!"),
        ("$.rows[?search(@.b, $.broken)].b", json_paths.MISSING),
    ],
)
def test_paths_find_what_they_found_before(path: str, found: Any) -> None:
    if "broken" in path:
        with pytest.raises(json_paths.PathError, match="RE2"):
            json_paths.first(path, {"rows": [{"b": "aa!"}], "broken": "("})
        return
    assert json_paths.first(path, {"rows": [{"b": "aa!"}]}) == found


@pytest.mark.parametrize(
    "path",
    [
        "$..*..*..*..nothing",
        "$..[?count(@..*) > 100000]",
        "$..*[?count(@..*) == count($..*)].nothing",
        "$..nothing & $..nothing",
    ],
)
def test_work_that_grows_with_the_answer_ends_at_its_bound(path: str) -> None:
    value: Any = [[[number, [number]] for number in range(40)] for _ in range(200)]
    with pytest.raises(json_paths.PathError, match=r"steps|too long"):
        json_paths.first(path, [value, value, value])


def test_all_outputs_of_one_answer_share_their_bound() -> None:
    value = [[number] for number in range(20_000)]
    one = {"path": "$..nothing", "required": False}
    config = RestApiConfig.model_validate(
        {
            "endpoint": {"url": "https://example.com"},
            "response": {"extract": {f"n{number}": one for number in range(50)}},
        }
    )
    with pytest.raises(ExtractError):
        read_outputs(config, TargetResponse(200, {}, json.dumps(value).encode()))
    assert json_paths.first("$..nothing", value) is json_paths.MISSING


@pytest.mark.parametrize(
    "path",
    [
        "$." + "a" * json_paths.MAX_PATH,
        "$.a[?search(@.b, '((a{500}){500}){2}')]",
        "$.a[?@.b =~ /(a{1000}b{1000}){50}/]",
        "$.a[?search(@.b, '(')]",
        "$.a[?@.b =~ /(?=a)/]",
        "$" + "[?@" * 300,
        "$[",
    ],
)
def test_a_path_or_pattern_that_is_too_large_or_bad_is_refused_beforehand(path: str) -> None:
    with pytest.raises(json_paths.PathError):
        json_paths.check(path)


@pytest.mark.parametrize(
    "more",
    [
        {"response": {"extract": {"id": "$["}}},
        {"response": {"extract": {"id": {"path": "$.a[?search(@.b, '(')]"}}}},
        {"async": {"until": {"path": "$["}}},
        {"async": {"until": {"path": "$.a"}, "failWhen": {"path": "$["}}},
        {"async": {"until": {"path": "$.a"}, "statusUrl": {"path": "$["}}},
        {"look": {"url": "https://example.com", "found": {"path": "$["}}},
    ],
)
def test_a_bad_path_is_no_configuration_wherever_it_stands(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"JSONPath .* (is not a valid|has a pattern)"):
        RestApiConfig.model_validate({"endpoint": {"url": "https://example.com"}, **more})


def test_an_answer_nested_too_deeply_is_a_bad_answer() -> None:
    value: Any = "leaf"
    for _ in range(500):
        value = [value]
    with pytest.raises(json_paths.PathError):
        json_paths.first("$..nothing", value)


async def test_answers_are_read_off_the_event_loop() -> None:
    assert await evaluate(threading.get_ident) != threading.get_ident()
