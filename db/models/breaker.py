"""Table ``breakers``: targets that failed when they were called last, in all and per item."""

from datetime import datetime

from sqlalchemy import ARRAY, Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class BreakerRow(SQLModel, table=True):
    """A row of ``breakers``; open while ``retry_at`` is set. ``item`` is empty for all together."""

    __tablename__ = "breakers"

    target: str = Field(primary_key=True, sa_type=Text)
    item: str = Field(default="", primary_key=True, sa_type=Text)
    named: bool = False
    failures: int = 0
    items: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    last_error: str | None = Field(default=None, sa_type=Text)
    failed_at: datetime = Field(sa_type=MOMENT)
    retry_at: datetime | None = Field(default=None, sa_type=MOMENT)
    failing_since: datetime | None = Field(default=None, sa_type=MOMENT)
    probe_until: datetime | None = Field(default=None, sa_type=MOMENT)
