"""Who may request, see and decide: the rules of authorization, pure."""

from dataclasses import dataclass
from typing import Protocol

from api.auth.principal import Principal
from db.repositories.request_visibility import Visibility
from pao.core.errors import ErrorCode, PaoError

EVERYBODY = "all"
"""Instead of a user's id, where admins ask for what belongs to anybody."""


class Restricted(Protocol):
    """The access rules of an item or a bundle."""

    @property
    def allowed_teams(self) -> frozenset[str]:
        """The teams that may request it; empty means everyone."""
        ...


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The rules, with the teams that the operator has made admins."""

    admin_teams: frozenset[str] = frozenset()

    def is_admin(self, caller: Principal) -> bool:
        """Return whether the caller is in a team of admins."""
        return not self.admin_teams.isdisjoint(caller.teams)

    def require_admin(self, caller: Principal, what: str) -> None:
        """Raise ``FORBIDDEN``, "Only admins ...", unless the caller is one."""
        if not self.is_admin(caller):
            raise PaoError(ErrorCode.FORBIDDEN, f"Only admins {what}.")

    def listed_user(self, caller: Principal, wanted: str | None, *, things: str) -> str | None:
        """Return the user whose keys or sessions are listed: the caller unless an admin asks.

        None is everybody. Raises ``FORBIDDEN`` for what belongs to others unless an admin asks.
        """
        if wanted is None or wanted == caller.id:
            return caller.id
        self.require_admin(caller, f"see the {things} of others")
        return None if wanted == EVERYBODY else wanted

    def may_end(self, caller: Principal, *, user_id: str) -> bool:
        """Return whether the caller may revoke a key or end a session of a user."""
        return caller.id == user_id or self.is_admin(caller)

    def visibility(self, caller: Principal) -> Visibility:
        """Return on whose behalf the database is read for a caller."""
        return Visibility(
            user_id=caller.id,
            teams=caller.teams,
            admin=self.is_admin(caller),
            email=caller.email,
        )

    def may_request(self, caller: Principal, item: Restricted) -> bool:
        """Return whether the item is open to one of the caller's teams; no list means everyone."""
        return not item.allowed_teams or not item.allowed_teams.isdisjoint(caller.teams)

    def may_see(
        self, caller: Principal, *, user_id: str, user_teams: list[str], owner_team: str | None
    ) -> bool:
        """Return whether the caller submitted it, shares a team, owns the item, or is an admin."""
        if caller.id == user_id or self.is_admin(caller):
            return True
        return owner_team in caller.teams or not set(user_teams).isdisjoint(caller.teams)

    def may_decide(self, caller: Principal, *, user_id: str, owner_team: str | None) -> bool:
        """Return whether the caller submitted it, owns the item, or is an admin."""
        return caller.id == user_id or owner_team in caller.teams or self.is_admin(caller)

    def may_refresh(self, caller: Principal, owners: frozenset[str]) -> bool:
        """Return whether the caller's teams own something in the catalog, or it is an admin."""
        return self.is_admin(caller) or not owners.isdisjoint(caller.teams)
