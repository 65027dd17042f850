"""Who is calling: the one shape in which every identity source ends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller.

    ``id`` is unique and stable over key changes; ``session`` is set for assumed roles only;
    ``source`` is the identity source that vouches for it (``keys``, ``sts``, ``gateway``, ``jwt``);
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
