"""Who is calling: the one shape in which every identity source ends."""

from dataclasses import dataclass
from datetime import datetime

from pao.clients.aws.caller import AwsCaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller.

    ``id`` is unique and stable over key changes; ``session`` is set for assumed roles only;
    ``source`` is the identity source that vouches for it (``keys``: a signature by an access key;
    ``sts``, ``gateway``, ``jwt``: AWS or an issuer; ``link``, ``oidc``, ``alb``: a session of the
    pages); ``access_key_id`` is the key that signed, for the audit trail; ``aws`` is who it is in
    AWS, where AWS vouches; ``valid_until`` is when a proof that cannot be checked again expires.
    """

    id: str
    arn: str
    account: str
    email: str | None
    session: str | None
    teams: tuple[str, ...]
    source: str
    access_key_id: str | None
    aws: AwsCaller | None = None
    valid_until: datetime | None = None


_ACCOUNT = "local"


def own_user(  # noqa: PLR0913 -- the parts of an identity, each named
    user_id: str,
    *,
    email: str | None,
    teams: tuple[str, ...],
    source: str,
    access_key_id: str | None,
    valid_until: datetime | None = None,
) -> Principal:
    """Return a user of this service: the same one, whatever the source that vouches for them."""
    return Principal(
        id=user_id,
        arn=f"arn:pao:iam::{_ACCOUNT}:user/{user_id}",
        account=_ACCOUNT,
        email=email,
        session=None,
        teams=teams,
        source=source,
        access_key_id=access_key_id,
        valid_until=valid_until,
    )


def aws_user(  # noqa: PLR0913 -- as above
    user_id: str,
    aws: AwsCaller,
    *,
    teams: tuple[str, ...],
    source: str,
    access_key_id: str | None = None,
    valid_until: datetime | None = None,
) -> Principal:
    """Return a user whose identity AWS confirms."""
    return Principal(
        id=user_id,
        arn=aws.arn,
        account=aws.account,
        email=None,
        session=aws.session,
        teams=teams,
        source=source,
        access_key_id=access_key_id,
        aws=aws,
        valid_until=valid_until,
    )
