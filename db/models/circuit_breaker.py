"""Table ``circuit_breakers``: targets that failed when they were called last."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class CircuitBreakerRow(SQLModel, table=True):
    """A row of ``circuit_breakers``; open while ``retry_at`` is set."""

    __tablename__ = "circuit_breakers"

    target: str = Field(primary_key=True, sa_type=Text)
    failures: int = 0
    last_error: str | None = Field(default=None, sa_type=Text)
    failed_at: datetime = Field(sa_type=MOMENT)
    retry_at: datetime | None = Field(default=None, sa_type=MOMENT)
    probe_until: datetime | None = Field(default=None, sa_type=MOMENT)
