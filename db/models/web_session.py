"""Table ``web_sessions``: who is signed in to the pages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT, WORDS


class WebSession(SQLModel, table=True):
    """A row of ``web_sessions``; ``proof`` shows that the API has stored it."""

    __tablename__ = "web_sessions"

    id: UUID = Field(primary_key=True)
    token_digest: bytes = Field(sa_type=LargeBinary, repr=False)
    user_id: str = Field(sa_type=Text)
    email: str | None = Field(default=None, sa_type=Text)
    teams: list[str] = Field(default_factory=list, sa_type=WORDS)
    source: str = Field(sa_type=Text)
    access_key_id: str | None = Field(
        default=None, foreign_key="access_keys.access_key_id", sa_type=Text
    )
    lacks_groups: bool = Field(default=False)
    user_agent: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(sa_type=MOMENT)
    seen_at: datetime = Field(sa_type=MOMENT)
    ends_at: datetime = Field(sa_type=MOMENT)
    proof: str | None = Field(default=None, sa_type=Text, repr=False)
