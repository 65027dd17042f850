"""From an AWS identity to a user of PAO: which id they have here, and which teams."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.auth.groups import ADMINS, GroupMap, is_name
from pao.clients.aws.caller import RESERVED_PATH, AwsCaller, CallerKind
from pao.clients.aws.directory import AwsDirectory, Role
from pao.core.errors import ErrorCode, PaoError


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRules:
    """The accounts that may call, the teams of groups, and the role tag that names its team.

    ``users`` gives unique ids of AWS the user ids that people have elsewhere.
    """

    accounts: frozenset[str]
    map: GroupMap
    team_tag: str = "team"
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AwsPeople:
    """Knows users and roles of the configured accounts.

    The key of an identity is its unique id, because names are given again. The name of a session is
    the caller's own choice, unless Identity Center has made the role: then it is its user's name,
    and the person counts instead of the role. Where AWS does not answer there are no teams.
    """

    rules: AwsRules
    directory: AwsDirectory

    async def user_id(self, caller: AwsCaller) -> str:
        """Return the id of the caller as a user of PAO.

        Raises ``FORBIDDEN`` for another account, and ``SERVICE_UNAVAILABLE`` where IAM must prove
        that Identity Center has made a role, and does not answer.
        """
        self._require_known_account(caller)
        person = await self._person(caller)
        own = person if person is not None else caller.unique_id
        return self.rules.users.get(own, own)

    async def teams(self, caller: AwsCaller) -> tuple[str, ...]:
        """Return the caller's teams according to AWS, at most five minutes old.

        Raises ``FORBIDDEN`` for another account: a session may be older than the configuration.
        """
        self._require_known_account(caller)
        match caller.kind:
            case CallerKind.USER:
                groups = await self.directory.groups_of_user(
                    caller.account, caller.name, unique_id=caller.unique_id
                )
                return self.rules.map.teams_of(groups or ())
            case CallerKind.ROLE:
                return await self._teams_of_role(caller)
            case _:
                return ()

    async def _teams_of_role(self, caller: AwsCaller) -> tuple[str, ...]:
        role = await self._role(caller)
        if role is None:
            return ()
        teams = dict.fromkeys(self.rules.map.mapped_teams(role.arn))
        person = await self._person(caller)
        if person is not None:
            groups = await self.directory.groups_of_person(person)
            teams |= dict.fromkeys(self.rules.map.teams_of(groups or ()))
        elif is_name(team := role.tags.get(self.rules.team_tag, "")) and team != ADMINS:
            teams[team] = None
        return tuple(teams)

    async def _person(self, caller: AwsCaller) -> str | None:
        """Return the Identity Center user of a session; None for all other callers."""
        if not caller.claims_identity_center or caller.session is None:
            return None
        role = await self._role(caller)
        if role is None:
            # Without the proof this would be another identity: that of the whole permission set.
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                "AWS cannot confirm now that Identity Center made your role. Try again.",
                headers={"Retry-After": "10"},
            )
        return caller.session if role.path.startswith(RESERVED_PATH) else None

    async def _role(self, caller: AwsCaller) -> Role | None:
        role = await self.directory.role(caller.account, caller.name, unique_id=caller.unique_id)
        # A role of the same name that was made after this session began is another one.
        return role if role is not None and role.unique_id == caller.unique_id else None

    def _require_known_account(self, caller: AwsCaller) -> None:
        if caller.account not in self.rules.accounts:
            raise PaoError(
                ErrorCode.FORBIDDEN,
                f"Callers of the AWS account {caller.account} are not known here; ask the operator "
                "to add it (PAO_AWS_ACCOUNTS).",
            )
