"""Table ``replay_signatures``: signatures that were used and must not be used again."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class ReplaySignature(SQLModel, table=True):
    """A row of ``replay_signatures``: the digest of a signature, until it expires."""

    __tablename__ = "replay_signatures"

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    holder: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=MOMENT)
