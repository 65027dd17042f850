"""Whether a JIRA would take escalations is known before anybody needs one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pao.clients.jira import JiraClient, JiraFlavour
from pao.clients.jira.escalation import EscalationTarget, escalation_problems
from sandbox.jira.settings import JiraSandboxSettings, Screen
from tests.support.jira import jira_sandbox

CLOUD, DATACENTER = JiraFlavour.CLOUD, JiraFlavour.DATACENTER
# How each product, old and new, is asked.
PRODUCTS: dict[str, tuple[JiraFlavour, dict[str, Any]]] = {
    "cloud": (CLOUD, {"old_meta": False, "meta_page": 3}),
    "data center 9": (DATACENTER, {"old_meta": False, "meta_page": 3}),
    "server 8.3": (DATACENTER, {"paged_meta": False}),
}
PRODUCT = pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS.keys())


@contextmanager
def client(
    folder: Path, product: tuple[JiraFlavour, dict[str, Any]], screen: Screen
) -> Iterator[JiraClient]:
    flavour, settings = product
    with jira_sandbox(
        folder, settings=JiraSandboxSettings(**settings, screens={"OPS": screen})
    ) as jira:
        found = JiraClient(jira.instance(flavour=flavour))
        yield found
        found.close()


@PRODUCT
async def test_what_fits_has_no_problems(tmp_path: Path, product: Any) -> None:
    screen = Screen(required=("customfield_10202",))
    target = EscalationTarget("OPS", fields={"customfield_10202": {"value": "Test"}})
    with client(tmp_path, product, screen) as jira:
        assert await escalation_problems(jira, target) == []


@PRODUCT
@pytest.mark.parametrize(
    ("screen", "target", "told"),
    [
        (Screen(), {"project": "NOPE"}, ["ESCALATION_PROJECT: ", "no project NOPE"]),
        (Screen(may_create=False), {}, ["ESCALATION_PROJECT: ", "may create tickets"]),
        (
            Screen(types=("Task", "Bug")),
            {},
            ["ESCALATION_ISSUE_TYPE: OPS has no type 'Incident'", "it has: Bug, Task"],
        ),
        (
            Screen(without=frozenset({"priority"})),
            {},
            ["ESCALATION_PRIORITY: ", "no priority on its screen; write none"],
        ),
        (
            Screen(priorities=("Medium", "Low")),
            {},
            ["ESCALATION_PRIORITY: ", "cannot have the priority 'High'; possible: Low, Medium"],
        ),
        (
            Screen(required=("customfield_10202",)),
            {},
            ["ESCALATION_FIELDS: ", "needs customfield_10202 (Environment)"],
        ),
        (
            Screen(),
            {"fields": {"customfield_10202": {"value": "Staging"}}},
            ["customfield_10202 (Environment) cannot be 'Staging'; possible: Production, Test"],
        ),
        (
            Screen(),
            {"fields": {"customfield_99999": 1}},
            ["ESCALATION_FIELDS: ", "no field customfield_99999 on its screen"],
        ),
        (
            Screen(without=frozenset({"labels"})),
            {},
            ["ESCALATION_ISSUE_TYPE: ", "no labels on its screen"],
        ),
    ],
)
async def test_what_does_not_fit_is_told_with_the_setting_to_change(
    tmp_path: Path, product: Any, screen: Screen, target: dict[str, Any], told: list[str]
) -> None:
    with client(tmp_path, product, screen) as jira:
        [problem] = await escalation_problems(
            jira, EscalationTarget(**{"project": "OPS", **target})
        )
    for part in told:
        assert part in problem
