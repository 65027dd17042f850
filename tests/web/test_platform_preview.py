"""The preview's form: rows, choices, passwords and files, and documents that are not whole yet."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.support.callers import PRIYA
from tests.support.stack import Stack
from tests.web.conftest import SECRET
from tests.web.person import Visit, judge, session_of

DOCUMENT = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: preview-accounts
  name: Accounts
  description: Accounts of one database.
  version: 1.0.0
  category: preview
  owner: {team: team-platform, contact: "https://chat.example.com/platform"}
  tags: [test]
presentation:
  form:
    groups:
      - id: accounts
        name: Accounts
        fields:
          - {id: team, name: Team, type: select, required: true, options: {from: teams}}
          - {id: token, name: Token, type: password}
          - id: users
            name: Users
            type: list
            required: true
            fields:
              - {id: login, name: Login, type: string, required: true}
              - {id: initial, name: First password, type: password}
              - {id: proof, name: Proof, type: file, validation: {types: [text/plain]}}
              - id: cluster
                name: Cluster
                type: select
                required: true
                options:
                  {from: http, url: "http://inventory/x", select: "$.items[*]", value: "$.id"}
fulfillment:
  strategy: {mode: manual}
  manual:
    actions:
      - id: ask
        type: jira-ticket
        config:
          ticket:
            project: PLATFORM
            summaryTemplate: "For {{fields.team}}"
            descriptionTemplate: "Users: {{json(fields.users)}}"
"""
REFUSED = "With these values the request would be refused:"


def row(number: int, login: str = "", **more: str) -> dict[str, str]:
    """Return what a page posts of a row: markers and texts."""
    markers = dict.fromkeys(("login", "cluster"), "shown x") | {
        "initial": "apart",
        "proof": "apart",
    }
    texts = {"login": login, "cluster": "c-1", "initial": "", **more}
    return {f"has.users[{number}].{name}": one for name, one in markers.items()} | {
        f"fields.users[{number}].{name}": one for name, one in texts.items()
    }


def preview_page(
    stack: Stack, data: dict[str, str], document: str = DOCUMENT, files: Any = None
) -> str:
    """Return the page that answers a preview of these values."""
    name, token = session_of(stack, PRIYA)
    shown = {"has.team": "shown Team", "has.token": "apart", "has.users": "shown Users"}
    with httpx.Client(
        base_url=stack.url, cookies={name: token}, headers={"Origin": stack.url}
    ) as browser:
        posted = {"document": document} | (shown | data if data else {})
        answer = browser.post("/platform/preview", data=posted, files=files or {"none": b""})
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    return unescape(answer.text)


def sealed_values(page: str) -> dict[str, str]:
    """Return what a page keeps sealed."""
    return dict(re.findall(r'name="(sealed\.[^"]+)" value="([^"]+)"', page))


def ticket(page: str) -> str:
    """Return what the ticket would say of the users; stars where one has a password."""
    found = re.search(r"Users: (.*?)</pre>", page)
    assert found, page[page.index('id="calls"') :]
    return found[1]


def test_enter_previews_and_the_first_form_says_what_is_offered(stack: Stack) -> None:
    page = preview_page(stack, {})
    form = page[page.index('action="/platform/preview" enctype') :]
    first = re.search(r"<button[^>]*>", form)
    assert first
    assert first[0] == '<button class="unseen" tabindex="-1" aria-hidden="true">'
    # Who previews is who requests: a team of the sample's person is not offered, nor taken.
    team = re.search(r'<select id="f0".*?</select>', page, re.DOTALL)
    assert team
    assert re.findall(r'value="([^"]+)"', team[0]) == sorted(PRIYA.teams)
    assert page.count("A preview asks no other system for choices. Enter a value.") == 1
    assert "Their source: http inventory." in page
    assert "cannot be loaded" not in page
    assert "Reload choices" not in page


def test_a_list_in_service_is_offered_as_its_form_offers_it(stack: Stack) -> None:
    options = '{from: list, list: kafka-clusters, where: "{{row.environment == fields.token}}"}'
    document = DOCUMENT.replace("type: password", "type: string").replace("{from: teams}", options)
    team = {"fields.token": "production", **row(0, "ann")}
    page = preview_page(stack, {**team, "fields.team": "kafka-prod-2"}, document)
    offered = re.search(r'<select id="f0".*?</select>', page, re.DOTALL)
    assert offered
    assert re.findall(r'value="([^"]+)"', offered[0]) == ["kafka-prod-1", "kafka-prod-2"]
    assert "The choices depend on other values: preview again" in page
    assert REFUSED not in page
    assert REFUSED in preview_page(stack, {**team, "fields.team": "kafka-dev-1"}, document)
    gone = preview_page(stack, {}, document.replace("kafka-clusters", "no-such-list"))
    assert "There is no list no-such-list in service yet. Enter a value." in gone


def test_a_preview_refuses_resources_as_the_service_does(stack: Stack) -> None:
    document = DOCUMENT.replace("{from: teams}", "{from: resources, type: database}")
    page = preview_page(stack, {"fields.team": "db-1", **row(0, "ann")}, document)
    assert REFUSED in page
    assert "PAO keeps no resources yet." in page
    assert "asks no other system" not in page[: page.index('id="f1"')]


@pytest.mark.parametrize(("team", "refused"), [("own", False), ("team-of-nobody", True)])
def test_a_form_with_rows_and_teams_can_be_filled_in(
    stack: Stack, team: str, *, refused: bool
) -> None:
    own = min(PRIYA.teams)
    page = preview_page(stack, {"fields.team": own if team == "own" else team, **row(0, "ann")})
    assert (REFUSED in page) == refused
    assert re.search(r'<input type="text"[^>]* name="fields.users\[0\].cluster"', page)
    assert "c-1" in ticket(page)


def test_secrets_stay_in_the_page_and_go_with_their_row(stack: Stack) -> None:
    team = {"fields.team": min(PRIYA.teams)}
    both = team | row(0, "ann") | row(1, "bob", initial=SECRET) | {"fields.token": SECRET}
    proof = {"fields.users[1].proof": ("proof.txt", b"content", "text/plain")}
    page = preview_page(stack, both, files=proof)
    kept = sealed_values(page)
    assert set(kept) == {"sealed.token", "sealed.users[1].initial", "sealed.users[1].proof"}

    # They count in the next preview, though nobody has entered them again.
    again = preview_page(stack, team | row(0, "ann") | row(1, "bob") | kept)
    assert sealed_values(again).keys() == kept.keys()
    assert ticket(again) == ticket(page) == "********"

    gone = preview_page(
        stack, team | row(0, "ann") | row(1, "bob") | kept | {"rows": "remove:1:users"}
    )
    assert set(sealed_values(gone)) == {"sealed.token"}
    assert ticket(gone).count("login") == 1
    dropped = preview_page(
        stack, team | row(0, "ann") | row(1, "bob") | kept | {"drop.users[1].proof": "1"}
    )
    assert "sealed.users[1].proof" not in sealed_values(dropped)


def test_a_large_file_is_said_not_to_be_kept(stack: Stack) -> None:
    data = {"fields.team": min(PRIYA.teams), **row(0, "ann")}
    large = {"fields.users[0].proof": ("proof.txt", b"x" * 600_000, "text/plain")}
    page = preview_page(stack, data, files=large)
    assert not sealed_values(page)
    assert "A large file is not kept in the page" in page


def test_a_form_shows_whatever_else_the_document_lacks(stack: Stack) -> None:
    nameless = DOCUMENT.replace("  name: Accounts\n", "", 1)
    odd = DOCUMENT.replace("  form:\n", "  documentation: [5]\n  form:\n", 1)
    for document in (nameless, odd):
        page = preview_page(stack, {}, document)
        assert 'name="fields.token"' in page
        assert "Shown once the errors above are corrected." in page
        assert "No template is rendered." not in page
    broken = preview_page(stack, {}, DOCUMENT.replace("type: password", "type: passwort"))
    assert "The form is shown once the errors above are corrected." in broken


async def test_enter_in_a_text_field_changes_no_rows(visit: Visit) -> None:
    page = await (await visit(PRIYA)).page("/platform/preview")
    await page.get_by_role("textbox", name="Document").fill(DOCUMENT)
    await page.get_by_role("button", name="Preview", exact=True).click()
    await page.get_by_label("Login").fill("orders-app")
    await page.get_by_label("Login").press("Enter")
    sent = page.get_by_role("region", name="What would be sent")
    await expect(sent).to_contain_text("orders-app")
    await expect(page.get_by_label("Login")).to_have_count(1)
    await judge(page)
