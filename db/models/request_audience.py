"""Table ``request_audience``: by whom a request is listed; written by a trigger only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class RequestAudience(SQLModel, table=True):
    """A row of ``request_audience``; children of a bundle have none.

    ``viewer`` is ``user:<id>``, ``team:<name>`` or ``owner:<name>``.
    """

    __tablename__ = "request_audience"

    viewer: str = Field(primary_key=True, sa_type=Text)
    created_at: datetime = Field(primary_key=True, sa_type=MOMENT)
    request_id: UUID = Field(primary_key=True, foreign_key="requests.id", ondelete="CASCADE")
