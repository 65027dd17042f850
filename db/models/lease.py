"""Table ``leases``: who does work that only one process may do at a time, and until when."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class Lease(SQLModel, table=True):
    """A row of ``leases``; an expired one belongs to nobody."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True, sa_type=Text)
    holder: str = Field(sa_type=Text)
    expires_at: datetime = Field(sa_type=MOMENT)
