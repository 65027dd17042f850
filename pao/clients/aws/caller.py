"""The identity of an AWS caller: account, ARN and user id from STS, which must agree. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

_ACCOUNT = r"(?P<account>\d{12})"
# Only characters that a path or a name may have: IAM is queried with them.
_ARN = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):(?P<service>iam|sts)::{_ACCOUNT}:(?P<rest>[\x21-\x7e]+)",
    re.ASCII,
)
_USER_ID = re.compile(r"AIDA[A-Z0-9]{12,124}")
_ROLE_ID = re.compile(r"(?P<role>AROA[A-Z0-9]{12,124}):(?P<session>[\w+=,.@-]{2,64})", re.ASCII)
_LONGEST = 2048
# Identity Center's roles have this prefix, and only they have this path.
_RESERVED_NAME = "AWSReservedSSO_"
RESERVED_PATH = "/aws-reserved/sso.amazonaws.com/"


class CallerKind(StrEnum):
    """What kind of identity called."""

    USER = "user"
    ROLE = "role"
    ROOT = "root"
    FEDERATED = "federated user"


class CallerError(Exception):
    """The facts about a caller are inconsistent, or of an unknown kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsCaller:
    """An AWS identity. ``unique_id`` is never reused: AIDA..., AROA... .

    ``name`` is that of the user or of the role; ``session`` is set for roles, and is the caller's
    own choice unless Identity Center made the role.
    """

    account: str
    arn: str
    user_id: str
    kind: CallerKind
    unique_id: str
    name: str
    session: str | None = None

    @property
    def claims_identity_center(self) -> bool:
        """Whether the role has the name of one of Identity Center; its path must prove it."""
        return self.kind is CallerKind.ROLE and self.name.startswith(_RESERVED_NAME)


def read_caller(*, account: str, arn: str, user_id: str) -> AwsCaller:
    """Return the identity of these three, as `GetCallerIdentity` answers them.

    Raises ``CallerError`` if they contradict each other.
    """
    match = _match_arn(arn)
    if match is None or match["account"] != account:
        raise CallerError("the ARN is not one of this account")
    found = _build_caller(
        match["service"], match["rest"], account=account, arn=arn, user_id=user_id
    )
    if found is None:
        raise CallerError("the ARN and the user id are not of one identity")
    return found


def read_arn(arn: str) -> tuple[str, CallerKind, str, str | None]:
    """Return account, kind, name and session of a user's or an assumed role's ARN.

    Raises ``CallerError`` for any other.
    """
    match = _match_arn(arn)
    if match is not None:
        what, _, rest = match["rest"].partition("/")
        if match["service"] == "iam" and what == "user" and rest:
            return match["account"], CallerKind.USER, rest.rpartition("/")[2], None
        name, _, session = rest.partition("/")
        if match["service"] == "sts" and what == "assumed-role" and name and session:
            return match["account"], CallerKind.ROLE, name, session
    raise CallerError("the ARN is neither a user's nor an assumed role's")


def _match_arn(arn: str) -> re.Match[str] | None:
    """Return the parts of an ARN, or None if it is not one ARN, such as two joined by a proxy."""
    return _ARN.fullmatch(arn) if len(arn) <= _LONGEST and ",arn:" not in arn else None


def _build_caller(
    service: str, rest: str, *, account: str, arn: str, user_id: str
) -> AwsCaller | None:
    what, _, path = rest.partition("/")
    match service, what:
        case "iam", "root" if not path and user_id == account:
            kind, unique_id, name, session = CallerKind.ROOT, account, "root", None
        case "iam", "user" if path and _USER_ID.fullmatch(user_id):
            kind, unique_id, session = CallerKind.USER, user_id, None
            name = path.rpartition("/")[2]
        case "sts", "assumed-role" if (found := _ROLE_ID.fullmatch(user_id)) is not None:
            name, _, session = path.partition("/")
            kind, unique_id = CallerKind.ROLE, found["role"]
            if not name or session != found["session"]:
                return None
        case "sts", "federated-user" if path and user_id == f"{account}:{path}":
            kind, unique_id, name, session = CallerKind.FEDERATED, user_id, path, None
        case _:
            return None
    return AwsCaller(
        account=account,
        arn=arn,
        user_id=user_id,
        kind=kind,
        unique_id=unique_id,
        name=name,
        session=session,
    )
