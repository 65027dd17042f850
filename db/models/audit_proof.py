"""Tables ``audit_heads``, ``audit_anchors`` and ``audit_anchor_heads``: what proves the trail.

Functions of the database write them; see db/audit_chain.py.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class AuditHead(SQLModel, table=True):
    """The end of one chain, and the last line of it that maintenance has removed."""

    __tablename__ = "audit_heads"

    chain: UUID = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
    base_position: int = Field(default=0, sa_type=BigInteger)
    base_hash: bytes = Field(default=b"", sa_type=LargeBinary)
    changed_at: datetime = Field(sa_type=MOMENT)


class AuditAnchor(SQLModel, table=True):
    """The ends of the chains that had changed, in one hash, and the anchor before it."""

    __tablename__ = "audit_anchors"

    id: int = Field(primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=MOMENT)
    chains: int = Field(sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    previous: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class AuditAnchorHead(SQLModel, table=True):
    """The end of one chain as an anchor took it in."""

    __tablename__ = "audit_anchor_heads"

    anchor_id: int = Field(primary_key=True, sa_type=BigInteger)
    chain: UUID = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
    base_position: int = Field(sa_type=BigInteger)
    base_hash: bytes = Field(sa_type=LargeBinary)
