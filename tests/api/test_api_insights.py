"""What many requests tell together, over the API."""

from typing import Any

import httpx
import pytest

from tests.support.callers import PRIYA, STRANGER
from tests.support.stack import Stack
from tests.support.submissions import error_of, submit_failed


def insights(client: httpx.Client, **params: str) -> dict[str, Any]:
    answer = client.get("/insights", params=params)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def row(document: dict[str, Any], table: str, item: str) -> dict[str, Any]:
    found = [one for one in document[table] if one["item"] == item]
    return found[0] if found else {}


def test_a_failure_shows_in_all_three_tables(stack: Stack, dana: httpx.Client) -> None:
    before = insights(dana)
    request = submit_failed(stack, dana)
    item, team = request["catalogItemId"], "team-network"
    waiting = insights(dana, days="7")
    count = row(waiting, "failures", item)["causes"]["input"]
    assert count == row(before, "failures", item).get("causes", {}).get("input", 0) + 1
    [of_team] = [one for one in waiting["waiting"] if one["team"] == team]
    assert of_team["waiting"] >= of_team["underAnHour"] >= 1
    assert (waiting["days"], before["days"]) == (7, 30)

    answer = dana.post(f"/requests/{request['id']}/abort", json={"reason": "no longer needed"})
    assert answer.status_code == 200, answer.text
    times = row(insights(dana, days="90", item=item, team=team), "times", item)
    assert times["requests"] == row(before, "times", item).get("requests", 0) + 1
    assert times["humanSeconds"]["p90"] > 0

    assert insights(dana, item=item, team="nobody")["failures"] == []
    assert row(insights(stack.caller(PRIYA)), "failures", item)["causes"]["input"] >= count
    nothing = insights(stack.caller(STRANGER))
    assert (nothing["times"], nothing["failures"], nothing["waiting"]) == ([], [], [])


@pytest.mark.parametrize(
    ("name", "value"), [("days", "8"), ("days", "x"), ("item", "\x00"), ("team", "x" * 256)]
)
def test_what_is_no_filter_is_refused(dana: httpx.Client, name: str, value: str) -> None:
    answer = dana.get("/insights", params={name: value})
    assert answer.status_code == 400, answer.text
    assert error_of(answer)["details"][0]["field"] == name
