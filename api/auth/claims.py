"""The user that the claims of a token describe: id, e-mail address, teams. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.auth.groups import MOST_GROUPS, GroupMap, is_name

_LONGEST_EMAIL = 254
_EMAIL = re.compile(r"\S+@\S+")


class ClaimsError(Exception):
    """The claims have no usable user id; the message says which claim is the problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """The claims that hold the user id and the groups, and the teams of the groups."""

    user: str
    groups: str
    map: GroupMap


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedUser:
    """A user as the claims describe them; ``lacks_groups`` when there is no claim of groups."""

    user_id: str
    email: str | None
    teams: tuple[str, ...]
    lacks_groups: bool


def read_claims(claims: Mapping[str, Any], rules: ClaimRules) -> ClaimedUser:
    """Return the user that the claims describe.

    An e-mail address counts only if it is verified, as an address and as a user id: approvals go by
    it, and in many directories people write it themselves. No claim of groups means no team.

    Raises ``ClaimsError`` if the claims hold no usable user id.
    """
    user_id = claim(claims, rules.user)
    email = _verified_email(claims)
    if rules.user == "email" and email is None:
        raise ClaimsError(
            "The e-mail address is not verified at the identity provider, and users are identified "
            "by it here. Verify it there, then sign in again."
        )
    if not isinstance(user_id, str) or not is_name(user_id):
        raise ClaimsError(
            f"The identity provider sent no usable user id (claim {rules.user!r}). The operator "
            "must choose another claim."
        )
    groups = claim(claims, rules.groups)
    return ClaimedUser(
        user_id=user_id,
        email=email,
        teams=rules.map.teams_of(_names(groups)),
        lacks_groups=groups is None,
    )


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by a path such as `realm_access.roles`; None without it."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    # Cognito and load balancers write booleans as text.
    verified = claims.get("email_verified") in (True, "true")
    if not verified or not isinstance(email, str) or not email.isprintable():
        return None
    return email if len(email) <= _LONGEST_EMAIL and _EMAIL.fullmatch(email) else None


def _names(groups: Any) -> list[str]:
    if isinstance(groups, str):
        return [groups]
    if not isinstance(groups, list):
        return []
    return [group for group in groups[:MOST_GROUPS] if isinstance(group, str)]
