"""From groups of an identity provider, or of AWS, to teams of PAO. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pao.core.names import USER_OR_TEAM

ADMINS = "pao:admins"
"""The team of members of an admin group; no group from another source may have this name."""
MOST_GROUPS = 1000

_NAME = re.compile(USER_OR_TEAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMap:
    """The teams that groups map to.

    Without a map a group is the team of the same name. With one only the groups in it count:
    in many directories anybody may create a group, and name it after a team.
    """

    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    admin_groups: frozenset[str] = frozenset()

    def teams_of(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return the teams of a member of these groups, each once."""
        found: dict[str, None] = {}
        for group in groups:
            found |= dict.fromkeys(self._teams_of_one(group))
            if group in self.admin_groups:
                found[ADMINS] = None
        return tuple(found)

    def mapped_teams(self, name: str) -> tuple[str, ...]:
        """Return the teams of what counts only if the map names it, such as a role."""
        return (*self.teams.get(name, ()), *((ADMINS,) if name in self.admin_groups else ()))

    def _teams_of_one(self, group: str) -> tuple[str, ...]:
        if self.teams:
            return self.teams.get(group, ())
        return (group,) if is_name(group) and group != ADMINS else ()


def is_name(text: str) -> bool:
    """Return whether a text is a valid name of a user or a team."""
    return _NAME.fullmatch(text) is not None
