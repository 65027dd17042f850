"""Who is calling: the one shape in which every identity source ends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller.

    ``id`` is unique and stable over key changes; ``session`` is set for assumed roles only;
    ``source`` is the identity source that vouches for it (``keys``: a signature by an access key;
    ``link``: a session of the pages that `pao web` has opened);
    ``access_key_id`` is the key that signed, for the audit trail.
    """

    id: str
    arn: str
    account: str
    email: str | None
    session: str | None
    teams: tuple[str, ...]
    source: str
    access_key_id: str | None


_ACCOUNT = "local"


def own_user(
    user_id: str,
    *,
    email: str | None,
    teams: tuple[str, ...],
    source: str,
    access_key_id: str | None,
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
    )
