"""Table ``web_sign_ins``: codes that open a session of the pages, once."""

from datetime import datetime

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class WebSignIn(SQLModel, table=True):
    """A row of ``web_sign_ins``; it is deleted when its code is used."""

    __tablename__ = "web_sign_ins"

    code_digest: bytes = Field(primary_key=True, sa_type=LargeBinary, repr=False)
    access_key_id: str = Field(foreign_key="access_keys.access_key_id", sa_type=Text)
    expires_at: datetime = Field(sa_type=MOMENT)
    proof: str | None = Field(default=None, sa_type=Text, repr=False)
