"""Signing in by an identity provider and by a load balancer, as people and browsers do it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, Route, expect

from api.web.pages.signin.cookies import local_path
from pao.app.local.postgres import PostgresAddress
from pao.app.local.web_scripts import fetch
from tests.support.callers import ADA, DANA, PRIYA
from tests.support.issuer import ALB, CLIENT, CLIENT_SECRET, OTHER_EC_KEY, Issuer
from tests.support.oidc_provider import running_provider
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack
from tests.web.person import Visit, judge
from tests.web.requesting import submit_for_approval

HEADER = "x-amzn-oidc-data"
DNS = {"hostName": "orders.example.com", "address": "10.0.0.7"}
PEOPLE: dict[str, dict[str, Any]] = {
    "dana-at-work": {
        "preferred_username": "dana",
        "email": "dana@example.com",
        "email_verified": True,
        "groups": ["0f9e-orders", "everybody"],
    },
    "eve-of-no-group": {
        "preferred_username": "eve",
        "email": "ada@example.com",
        "email_verified": False,
    },
    "priya-at-work": {"preferred_username": "priya", "groups": ["77aa-platform"]},
    # Another id for the same person: her address tells.
    "priya-elsewhere": {
        "preferred_username": "p.sharma",
        "email": "Priya@Example.com",
        "email_verified": True,
        "groups": ["77aa-platform"],
    },
    "ada-at-work": {"preferred_username": "ada", "groups": ["pao-operators"]},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with running_provider(PEOPLE) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def balancer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def provided_stack(
    provider: str,
    balancer: Issuer,
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    fetch()
    environ = {
        "PAO_SUBMISSION_BUDGET": "100ms",
        "PAO_OIDC_ISSUER": provider,
        "PAO_OIDC_CLIENT_ID": CLIENT,
        "PAO_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "PAO_OIDC_NAME": "Example Corp",
        "PAO_OIDC_USER_CLAIM": "preferred_username",
        "PAO_TEAM_MAP": '{"0f9e-orders": "team-orders", "77aa-platform": "team-platform"}',
        "PAO_ADMIN_GROUPS": "pao-operators",
        "PAO_ALB_ARN": ALB,
        "PAO_ALB_ISSUER": balancer.url,
        "PAO_ALB_KEYS_URL": f"{balancer.url}/keys",
    }
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database,
            temporal_address,
            tmp_path_factory.mktemp("provided"),
            environ=environ,
            with_worker=False,
        ) as stack,
    ):
        yield stack


@pytest.fixture
def stack(provided_stack: Stack) -> Stack:
    return provided_stack


async def sign_in(page: Page, subject: str) -> None:
    """Sign in at the provider's own page."""
    await page.context.route("https://cdn.jsdelivr.net/**", _no_style)
    await page.get_by_role("link", name="Sign in with Example Corp").click()
    await page.get_by_role("button", name=subject, exact=True).first.click()


async def test_a_provider_signs_in_and_leads_back_to_the_page_that_was_wanted(
    stack: Stack, visit: Visit
) -> None:
    at = await visit(None)
    page = await at.page("/catalog?q=dns")
    await expect(page).to_have_title("Sign in - PAO")
    await judge(page)
    await sign_in(page, "dana-at-work")
    await expect(page).to_have_title("Catalog: dns - PAO")
    assert page.url == f"{stack.url}/catalog?q=dns"
    [session, *_] = stack.caller(DANA).get("/web-sessions").json()["data"]
    assert (session["user"], session["source"], session["accessKeyId"]) == ("dana", "oidc", None)
    cookies = {cookie["name"]: cookie for cookie in await at.context.cookies(stack.url)}
    # That of the sign-in is gone again; that of the time zone is every page's.
    assert cookies.keys() - {"tz"} == {f"pao-{stack.port}"}
    assert cookies[f"pao-{stack.port}"]["httpOnly"]
    opened = stack.rows(
        "select reason from audit_logs where event_type = 'session.opened' and actor = 'dana'"
    )
    assert {"reason": "oidc"} in opened


async def test_a_sign_in_begins_with_a_link_because_a_form_may_not_lead_away(
    stack: Stack, visit: Visit
) -> None:
    at = await visit(None)
    page = await at.page("/signin")
    forms = await page.locator("form").evaluate_all("forms => forms.map(one => one.action)")
    assert all(one.startswith(stack.url) for one in forms)
    posted = await at.context.request.post("/signin/oidc", headers={"Origin": stack.url})
    assert posted.status == 404
    foreign = await at.context.request.post("/signin/oidc", headers={"Origin": "https://evil"})
    assert foreign.status == 403


async def test_a_person_is_the_same_by_key_and_by_browser(stack: Stack, visit: Visit) -> None:
    made = stack.caller(DANA).post(
        "/requests", json={"catalogItemId": "network-dns-record", "fields": DNS}
    )
    assert made.status_code == 202, made.text
    at = await visit(None)
    page = await at.page("/signin")
    await sign_in(page, "dana-at-work")
    await page.goto("/")
    await expect(page.get_by_role("link", name="orders.example.com").first).to_be_visible()
    session = stack.rows("select teams, email from web_sessions where source = 'oidc'")[-1]
    # Groups that the map does not name count for nothing.
    assert session == {"teams": ["team-orders"], "email": "dana@example.com"}


async def test_nobody_approves_her_own_request_by_another_source(
    stack: Stack, visit: Visit
) -> None:
    stack.start_worker()
    try:
        request_id = submit_for_approval(stack, PRIYA)
        for known_as in ("priya-at-work", "priya-elsewhere"):
            at = await visit(None)
            at.watched.expected.append("status of 4")
            page = await at.page(f"/requests/{request_id}/decide")
            await sign_in(page, known_as)
            await expect(page.get_by_text("There is nothing for you to decide")).to_be_visible()
            await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
            # Nor does she who sends what the page does not offer.
            form: dict[str, str | float | bool] = {
                "reason": "I need it.",
                "action": "approval",
                "key": known_as,
            }
            sent = await at.context.request.post(
                f"/requests/{request_id}/approve", form=form, headers={"Origin": stack.url}
            )
            assert sent.status == 409
            assert "requesters cannot decide about their own requests" in await sent.text()
        own = stack.caller(PRIYA).get(f"/requests/{request_id}").json()
        assert (own["status"], own["mayDecide"]) == ("in_progress", False)
    finally:
        stack.stop_worker()


async def test_an_address_that_is_not_verified_and_missing_groups_count_for_nothing(
    stack: Stack, visit: Visit
) -> None:
    at = await visit(None)
    page = await at.page("/signin")
    await sign_in(page, "eve-of-no-group")
    await expect(page).to_have_title("Home - PAO")
    await expect(page.get_by_text("You are not in any team")).to_be_visible()
    await judge(page)
    [session] = stack.rows("select teams, email from web_sessions where user_id = 'eve'")
    assert session == {"teams": [], "email": None}


async def test_a_group_of_admins_makes_an_admin(visit: Visit) -> None:
    at = await visit(None)
    page = await at.page("/signin")
    await sign_in(page, "ada-at-work")
    await page.get_by_role("link", name="Admin", exact=True).click()
    await page.get_by_role("link", name="Sessions").click()
    await expect(page.get_by_text("oidc").first).to_be_visible()


async def test_an_admin_ends_a_session_of_a_provider(stack: Stack, visit: Visit) -> None:
    at = await visit(None)
    page = await at.page("/signin")
    await sign_in(page, "dana-at-work")
    await expect(page).to_have_title("Home - PAO")
    ada = stack.caller(ADA)
    [newest, *_] = ada.get("/web-sessions", params={"userId": "dana"}).json()["data"]
    assert ada.delete(f"/web-sessions/{newest['id']}").status_code == 200
    await page.reload()
    await expect(page).to_have_title("Sign in - PAO")


async def test_a_refusal_at_the_provider_is_told(visit: Visit) -> None:
    at = await visit(None)
    page = await at.page("/signin")
    await page.context.route("https://cdn.jsdelivr.net/**", _no_style)
    await page.get_by_role("link", name="Sign in with Example Corp").click()
    await page.get_by_role("button", name="Deny").click()
    await expect(page).to_have_title("Error: Sign in - PAO")
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text("access_denied")
    await judge(page)


async def test_an_answer_that_this_browser_did_not_ask_for_signs_nobody_in(
    stack: Stack, visit: Visit
) -> None:
    attacker = (await visit(None)).context.request
    begun = await attacker.get("/signin/oidc", max_redirects=0)
    left = await attacker.post(
        begun.headers["location"], form={"sub": "dana-at-work"}, max_redirects=0
    )
    answer = left.headers["location"]
    assert answer.startswith(f"{stack.url}/signin/oidc/callback?")
    victim = await visit(None)
    page = await victim.page(answer)
    await expect(page).to_have_title("Error: Sign in - PAO")
    assert f"pao-{stack.port}" not in {
        cookie["name"] for cookie in await victim.context.cookies(stack.url)
    }


async def _no_style(route: Route) -> None:
    await route.fulfill(body="", content_type="text/css")


ELSEWHERE = ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/\x00", "/\t/evil"]


@pytest.mark.parametrize("to", ELSEWHERE)
async def test_only_paths_of_ours_are_led_to(to: str) -> None:
    assert local_path(to) == "/"
    assert local_path(f"/catalog?to={quote(to)}") == f"/catalog?to={quote(to)}"


async def test_nobody_is_led_elsewhere(stack: Stack, visit: Visit) -> None:
    at = await visit(None)
    page = await at.page("/signin?to=//evil.example")
    await sign_in(page, "dana-at-work")
    await expect(page).to_have_title("Home - PAO")
    assert page.url == f"{stack.url}/"


def balancer_headers(balancer: Issuer, user: str = "dana", **given: Any) -> dict[str, str]:
    return {
        HEADER: balancer.balancer_token(preferred_username=user, groups=["0f9e-orders"], **given)
    }


async def test_behind_a_load_balancer_one_is_signed_in_already(
    stack: Stack, balancer: Issuer, visit: Visit
) -> None:
    at = await visit(None, extra_http_headers=balancer_headers(balancer))
    page = await at.page("/catalog")
    await expect(page).to_have_title("Catalog - PAO")
    await expect(page.get_by_text("dana", exact=True).filter(visible=True)).to_have_count(1)
    [session, *_] = stack.caller(DANA).get("/web-sessions").json()["data"]
    assert session["source"] == "alb"

    # Another person at the same browser, and one whom the balancer does not know any more.
    await at.context.set_extra_http_headers(balancer_headers(balancer, "eve"))
    await page.reload()
    await expect(page.get_by_text("eve", exact=True).filter(visible=True)).to_have_count(1)
    await at.context.set_extra_http_headers({})
    await page.reload()
    await expect(page).to_have_title("Sign in - PAO")


async def test_who_signs_out_stays_so_until_they_go_on(balancer: Issuer, visit: Visit) -> None:
    at = await visit(None, extra_http_headers=balancer_headers(balancer))
    page = await at.page("/")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_title("Sign in - PAO")
    await page.get_by_role("link", name="Continue with the account of this network").click()
    await expect(page).to_have_title("Home - PAO")


async def test_a_balancers_word_that_does_not_hold_is_told(balancer: Issuer, visit: Visit) -> None:
    at = await visit(None, extra_http_headers=balancer_headers(balancer, key=OTHER_EC_KEY))
    page = await at.page("/")
    await expect(page).to_have_title("Error: Sign in - PAO")
    await expect(page.get_by_role("alert")).to_contain_text("token was rejected")
    await judge(page)


async def test_a_balancers_word_never_counts_for_the_api(balancer: Issuer, visit: Visit) -> None:
    at = await visit(None, extra_http_headers=balancer_headers(balancer))
    assert (await at.context.request.get("/api/v1/requests")).status == 401
