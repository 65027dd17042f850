"""Table ``access_keys``: keys that this service issued; their secrets are sealed."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT, WORDS


class AccessKey(SQLModel, table=True):
    """A row of ``access_keys``; ``is_session`` marks the key of a temporary session."""

    __tablename__ = "access_keys"

    access_key_id: str = Field(primary_key=True, sa_type=Text)
    sealed_secret: str = Field(sa_type=Text, repr=False)
    user_id: str = Field(sa_type=Text)
    email: str | None = Field(default=None, sa_type=Text)
    teams: list[str] = Field(default_factory=list, sa_type=WORDS)
    created_at: datetime = Field(sa_type=MOMENT)
    created_by: str = Field(sa_type=Text)
    revoked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    expires_at: datetime | None = Field(default=None, sa_type=MOMENT)
    note: str | None = Field(default=None, sa_type=Text)
    source: str = Field(default="keys", sa_type=Text)
    is_session: bool = Field(default=False)
    opened_by: str | None = Field(default=None, sa_type=Text)
    aws_account: str | None = Field(default=None, sa_type=Text)
    aws_arn: str | None = Field(default=None, sa_type=Text)
    aws_user_id: str | None = Field(default=None, sa_type=Text)
    last_used_at: datetime | None = Field(default=None, sa_type=MOMENT)
