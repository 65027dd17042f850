"""Who claims speak of, and which teams groups stand for."""

from typing import Any

import pytest

from api.auth.claims import ClaimRules, ClaimsError, read_claims
from api.auth.groups import ADMINS, GroupMap

RULES = ClaimRules(user="preferred_username", groups="groups", map=GroupMap())
DANA: dict[str, Any] = {"sub": "1", "preferred_username": "dana", "groups": ["team-orders"]}


def test_claims_name_user_and_teams() -> None:
    known = read_claims(DANA, RULES)
    assert (known.user_id, known.email, known.teams) == ("dana", None, ("team-orders",))
    assert not known.lacks_groups


@pytest.mark.parametrize(
    ("verified", "counts"),
    [(True, True), ("true", True), (False, False), ("false", False), (None, False), (1, True)],
    ids=str,
)
def test_an_address_counts_only_if_it_is_verified(verified: object, *, counts: bool) -> None:
    claims = DANA | {"email": "dana@example.com", "email_verified": verified}
    assert (read_claims(claims, RULES).email == "dana@example.com") is counts


@pytest.mark.parametrize(
    "address", ["dana", "a b@example.com", "a\0@example.com", "\ud800@x"], ids=repr
)
def test_an_address_that_is_none_does_not_count(address: str) -> None:
    claims = DANA | {"email": address, "email_verified": True}
    assert read_claims(claims, RULES).email is None


@pytest.mark.parametrize(("length", "counts"), [(254, True), (255, False)])
def test_an_address_has_254_characters_at_most(length: int, *, counts: bool) -> None:
    address = "@example.com".rjust(length, "a")
    known = read_claims(DANA | {"email": address, "email_verified": True}, RULES)
    assert known.email == (address if counts else None)


def test_nobody_is_known_by_an_address_that_is_not_verified() -> None:
    rules = ClaimRules(user="email", groups="groups", map=GroupMap())
    claims = DANA | {"email": "ada@example.com", "email_verified": False}
    with pytest.raises(ClaimsError, match="not verified"):
        read_claims(claims, rules)
    assert read_claims(claims | {"email_verified": True}, rules).user_id == "ada@example.com"


@pytest.mark.parametrize(
    "name", [None, "", "with space", 7, "x" * 101, "line\n", ["dana"]], ids=str
)
def test_a_user_id_must_be_a_name(name: object) -> None:
    with pytest.raises(ClaimsError, match="preferred_username"):
        read_claims(DANA | {"preferred_username": name}, RULES)


@pytest.mark.parametrize(
    ("groups", "teams"),
    [
        ("team-orders", ("team-orders",)),
        (["a", "b", "a"], ("a", "b")),
        (["a", 7, None, {"b": 1}, "c c", ""], ("a",)),
        ({"a": 1}, ()),
        ([], ()),
        ([f"g{one}" for one in range(2000)], tuple(f"g{one}" for one in range(1000))),
    ],
    ids=["one", "list", "odd ones", "object", "none", "many"],
)
def test_groups_are_names(groups: object, teams: tuple[str, ...]) -> None:
    known = read_claims(DANA | {"groups": groups}, RULES)
    assert (known.teams, known.lacks_groups) == (teams, False)


def test_no_claim_of_groups_is_no_team() -> None:
    claims = {name: value for name, value in DANA.items() if name != "groups"}
    known = read_claims(claims, RULES)
    assert (known.teams, known.lacks_groups) == ((), True)


def test_a_claim_may_lie_within_another_and_have_dots_in_its_name() -> None:
    claims = DANA | {"realm_access": {"roles": ["a"]}, "https://example.com/teams": ["b"]}
    for name, team in (("realm_access.roles", "a"), ("https://example.com/teams", "b")):
        rules = ClaimRules(user="sub", groups=name, map=GroupMap())
        assert read_claims(claims, rules).teams == (team,)


@pytest.mark.parametrize("name", ["sub.roles", "groups.0", "a.b.c", "preferred_username.a.b"])
def test_what_lies_within_no_object_is_no_claim(name: str) -> None:
    assert read_claims(DANA, ClaimRules(user="sub", groups=name, map=GroupMap())).lacks_groups


def test_with_a_map_only_its_groups_count() -> None:
    groups = GroupMap(teams={"5f0c-guid": ("team-orders", "team-web"), "Ops DE": ("team-ops",)})
    assert groups.teams_of(["5f0c-guid", "Ops DE", "team-database"]) == (
        "team-orders",
        "team-web",
        "team-ops",
    )


def test_groups_of_admins_are_the_operators_choice_alone() -> None:
    groups = GroupMap(admin_groups=frozenset({"pao-operators"}))
    assert groups.teams_of(["pao-operators"]) == ("pao-operators", ADMINS)
    assert groups.teams_of([ADMINS]) == ()
