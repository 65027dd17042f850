"""Table ``cleanups_done``: what people have cleaned up by hand, entry by entry."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class CleanupDone(SQLModel, table=True):
    """A row of ``cleanups_done``: who reported an entry of cleanup as done; never changed."""

    __tablename__ = "cleanups_done"

    request_id: UUID = Field(primary_key=True, foreign_key="requests.id", ondelete="CASCADE")
    entry_id: str = Field(primary_key=True, sa_type=Text)
    done_by: str = Field(sa_type=Text)
    done_at: datetime = Field(sa_type=MOMENT)
    note: str = Field(sa_type=Text)
