"""The pages of admins: health, access keys, sessions, the audit trail."""

import json
from urllib.parse import quote
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.support.callers import ADA, DANA
from tests.support.stack import Stack
from tests.support.submissions import submit_completed
from tests.web.person import Visit, judge

PAGES = ["/admin", "/admin/keys", "/admin/sessions", "/admin/audit"]


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_is_readable_by_everybody(visit: Visit, path: str) -> None:
    at = await visit(ADA)
    page = await at.page(path)
    await expect(page.get_by_role("navigation", name="Administration")).to_be_visible()
    await judge(page)


@pytest.mark.parametrize("path", PAGES)
async def test_who_is_no_admin_sees_none_of_them(visit: Visit, path: str) -> None:
    at = await visit(DANA)
    at.watched.expected.append("403")
    page = await at.page(path)
    await expect(page.get_by_text("Only admins see this page.")).to_be_visible()
    await expect(page.get_by_role("link", name="Admin", exact=True)).to_have_count(0)


async def test_a_key_is_issued_and_its_secret_shown_once(stack: Stack, visit: Visit) -> None:
    user = f"user-{uuid4().hex[:8]}"
    at = await visit(ADA)
    page = await at.page("/admin/keys")
    await page.get_by_label("User", exact=True).last.fill(user)
    await page.get_by_label("Teams").fill("team-a, team-b")
    await page.get_by_label("Valid for").fill("90d")
    await page.get_by_role("button", name="Issue key").click()

    await expect(page).to_have_title("Key issued - PAO")
    await judge(page)
    lines = (await page.locator("#key").inner_text()).splitlines()
    key_id, secret = (line.partition("=")[2] for line in lines)
    [own] = stack.client_of((key_id, secret)).get("/keys").json()["data"]
    assert (own["user"], own["teams"]) == (user, ["team-a", "team-b"])

    await page.goto(f"/admin/keys?user={user}")
    await expect(page.get_by_role("row")).to_have_count(2)
    assert secret not in await page.content()


async def test_bad_input_is_named_and_kept(visit: Visit) -> None:
    at = await visit(ADA)
    at.watched.expected.append("422")
    page = await at.page("/admin/keys")
    await page.get_by_label("User", exact=True).last.fill("<b>nobody</b>")
    await page.get_by_label("Valid for").fill("soon")
    await page.get_by_role("button", name="Issue key").click()

    await expect(page).to_have_title("Error: Access keys - PAO")
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_label("Valid for")).to_have_value("soon")
    await expect(page.get_by_label("User", exact=True).last).to_have_value("<b>nobody</b>")
    await judge(page)


async def test_a_key_is_revoked_after_a_question_and_its_sessions_end(
    stack: Stack, visit: Visit
) -> None:
    user = f"user+{uuid4().hex[:8]}"
    made = stack.caller(ADA).post("/keys", json={"user": user}).json()
    link = (
        stack.client_of((made["accessKeyId"], made["secretAccessKey"]))
        .post("/web-sign-ins")
        .json()["url"]
    )
    guest = await visit(None)
    await guest.follow(link)

    at = await visit(ADA, java_script_enabled=False)
    page = await at.page(f"/admin/keys?user={quote(user)}")
    await page.get_by_role("link", name="Revoke").click()
    await expect(page).to_have_title(f"Revoke {made['accessKeyId']}? - PAO")
    await page.get_by_role("button", name="Revoke key").click()
    await expect(page.get_by_text("revoked")).to_be_visible()

    theirs = await guest.page("/")
    await expect(theirs).to_have_title("Sign in - PAO")


async def test_an_admin_ends_a_session(stack: Stack, visit: Visit) -> None:
    user = f"user-{uuid4().hex[:8]}"
    made = stack.caller(ADA).post("/keys", json={"user": user}).json()
    client = stack.client_of((made["accessKeyId"], made["secretAccessKey"]))
    guest = await visit(None)
    await guest.follow(client.post("/web-sign-ins").json()["url"])

    at = await visit(ADA)
    page = await at.page("/admin/sessions")
    await page.get_by_role("button", name=f"End the session of {user}").click()
    await expect(page.get_by_role("rowheader", name=user)).to_have_count(0)
    theirs = await guest.page("/")
    await expect(theirs).to_have_title("Sign in - PAO")


async def test_the_trail_is_filtered_by_a_request(stack: Stack, visit: Visit) -> None:
    request = submit_completed(stack.caller(DANA))
    at = await visit(ADA)
    page = await at.page("/admin/audit")
    await page.get_by_label("Request", exact=True).fill(request["id"][:8])
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("cell", name="request.submitted")).to_have_count(1)
    await expect(page.get_by_role("link", name=request["id"][:8]).first).to_be_visible()
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download as NDJSON").click()
    download = await started.value
    lines = [json.loads(one) for one in (await download.path()).read_text().splitlines()]
    assert {one["requestId"] for one in lines} == {request["id"]}

    at.watched.expected.append("422")
    await page.goto("/admin/audit?about=NONE-1")
    await expect(page.get_by_role("alert")).to_contain_text("There is no request NONE-1")


async def test_a_failing_target_shows_with_its_breaker(stack: Stack, visit: Visit) -> None:
    stack.rows(
        "insert into breakers (target, named, failures, last_error, retry_at) values "
        "('api.example.com', true, 5, 'it did <i>not</i> answer', now() + interval '30 s') "
        "returning 1"
    )
    at = await visit(ADA)
    page = await at.page("/admin")
    await expect(page.get_by_text("it did <i>not</i> answer")).to_be_visible()
    await judge(page)
