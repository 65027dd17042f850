"""Signing in by a link, staying signed in, and what ends a session."""

import re

import httpx
from playwright.async_api import expect

from tests.support.callers import ADA, DANA, PRIYA, Signature
from tests.support.stack import Stack
from tests.web.person import Visit, judge


def link_of(stack: Stack) -> str:
    return str(stack.caller(DANA).post("/web-sign-ins").json()["url"])


async def test_a_link_asks_and_then_signs_in_once(stack: Stack, visit: Visit) -> None:
    link, at = link_of(stack), await visit(None)
    page = await at.page("/signin")
    await page.goto(link)

    await expect(page).to_have_title("Sign in as dana? - PAO")
    assert "#" not in page.url
    await judge(page)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_title("Home - PAO")

    again = await visit(None)
    at_again = await again.page(link)
    await expect(at_again).to_have_title("Error: Sign in - PAO")
    await expect(at_again.get_by_role("alert")).to_be_focused()
    await judge(at_again)


async def test_who_only_follows_a_link_uses_nothing_up(stack: Stack, visit: Visit) -> None:
    link = link_of(stack)
    scanner = await visit(None)
    page = await scanner.page(link)
    await expect(page).to_have_title("Sign in as dana? - PAO")

    person = await visit(None)
    page = await person.page(link)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_title("Home - PAO")


async def test_without_scripts_the_code_is_pasted(stack: Stack, visit: Visit) -> None:
    link, at = link_of(stack), await visit(None, java_script_enabled=False)
    page = await at.page("/signin?to=/signin")
    await page.get_by_label("Code").fill(link)
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{stack.url}/signin")


async def test_a_page_that_needs_a_session_leads_to_it_and_back(stack: Stack, visit: Visit) -> None:
    at = await visit(None)
    page = await at.page("/?from=mail")
    assert page.url.endswith("/signin?to=/%3Ffrom%3Dmail")
    await page.get_by_label("Code").fill(link_of(stack).rpartition("#")[2])
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{stack.url}/?from=mail")


async def test_a_return_path_never_leads_elsewhere(stack: Stack, visit: Visit) -> None:
    at = await visit(None)
    for to in ("//evil.example", "/\\evil.example", "https://evil.example", "/a\nb"):
        answer = await at.context.request.post(
            "/signin",
            form={"code": link_of(stack), "confirmed": "yes", "to": to},
            headers={"Origin": stack.url},
            max_redirects=0,
        )
        assert answer.headers["location"] == "/"


async def test_signing_out_ends_the_session_in_every_tab(stack: Stack, visit: Visit) -> None:
    at = await visit(PRIYA)
    page, other = await at.page(), await at.page()
    session = stack.caller(PRIYA).get("/web-sessions").json()["data"][0]
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_title("Sign in - PAO")
    await other.reload()
    await expect(other).to_have_title("Sign in - PAO")
    lines = stack.rows(
        "select event_type, actor from audit_logs where event_data->>'sessionId' = $1 order by id",
        session["id"],
    )
    assert [(one["event_type"], one["actor"]) for one in lines] == [
        ("session.opened", "priya"),
        ("session.ended", "priya"),
    ]


async def test_revoking_the_key_ends_the_session(stack: Stack, visit: Visit) -> None:
    key_id, secret = stack.new_key(PRIYA)
    signature = Signature(key_id, secret)
    async with httpx.AsyncClient(base_url=stack.url, auth=signature) as client:
        asked = await client.post("/api/v1/web-sign-ins")
    at = await visit(None)
    await at.follow(asked.json()["url"])
    page = await at.page()
    await expect(page).to_have_title("Home - PAO")
    revoke = "update access_keys set revoked_at = now() where access_key_id = $1 returning 1"
    stack.rows(revoke, key_id)
    await page.reload()
    await expect(page).to_have_title("Sign in - PAO")


async def test_an_admin_ends_the_session_of_another(stack: Stack, visit: Visit) -> None:
    at = await visit(DANA)
    page = await at.page()
    ada = stack.caller(ADA)
    newest = ada.get("/web-sessions", params={"userId": "dana"}).json()["data"][0]
    assert ada.delete(f"/web-sessions/{newest['id']}").status_code == 200
    await page.reload()
    await expect(page).to_have_title("Sign in - PAO")


async def test_an_idle_and_an_old_session_are_over(stack: Stack, visit: Visit) -> None:
    for change in ("seen_at = now() - interval '8 hours 1 s'", "ends_at = now()"):
        at = await visit(DANA)
        page = await at.page()
        newest = stack.caller(DANA).get("/web-sessions").json()["data"][0]
        sql = f"update web_sessions set {change} where id = $1::uuid"  # noqa: S608 -- constants
        stack.tamper(sql, newest["id"])
        await page.reload()
        await expect(page).to_have_title("Sign in - PAO")
        # Not only because the row was changed by hand.
        assert newest not in stack.caller(DANA).get("/web-sessions").json()["data"]


async def test_only_a_page_of_ours_may_change_something(stack: Stack, visit: Visit) -> None:
    at = await visit(DANA)
    refused = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": stack.url},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ]
    for headers in refused:
        answer = await at.context.request.post("/signout", headers=headers)
        assert answer.status == 403
    page = await at.page()
    await expect(page).to_have_title("Home - PAO")


async def test_the_api_takes_no_session(visit: Visit) -> None:
    at = await visit(DANA)
    answer = await at.context.request.get("/api/v1/requests")
    assert answer.status == 401


async def test_every_page_carries_the_policy(visit: Visit) -> None:
    at = await visit(DANA)
    for path in ("/", "/signin", "/nowhere"):
        headers = (await at.answer(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    at.watched.expected.append("404")


async def test_what_is_static_may_be_kept_for_good(visit: Visit) -> None:
    at = await visit(None)
    page = await at.page("/signin")
    sheet = await page.locator("link[rel=stylesheet]").get_attribute("href")
    assert sheet is not None
    assert re.fullmatch(r"/static/pao-[0-9a-f]{12}\.css", sheet)
    answer = await at.context.request.get(sheet)
    assert "immutable" in answer.headers["cache-control"]
    gone = await at.context.request.get("/static/pao-000000000000.css")
    assert gone.status == 404


async def test_an_unknown_path_tells_nothing(stack: Stack, visit: Visit) -> None:
    stranger, dana = await visit(None), await visit(DANA)
    page = await stranger.page("/nowhere")
    await expect(page).to_have_title("Sign in - PAO")
    page = await dana.page("/nowhere")
    dana.watched.expected.append("404")
    await expect(page).to_have_title("Not found - PAO")
    await judge(page)
    assert (await dana.context.request.delete("/", headers={"Origin": stack.url})).status == 404


async def test_a_session_does_not_survive_another_address(visit: Visit) -> None:
    at = await visit(DANA)
    answer = await at.context.request.get("/signin", headers={"Host": "pao.example.com"})
    assert answer.status == 403
    posted = await at.context.request.post(
        "/signout", headers={"Host": "evil.example", "Origin": "http://evil.example"}
    )
    assert posted.status == 403
