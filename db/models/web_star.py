"""Table ``web_stars``: items that people have starred on the pages."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class WebStar(SQLModel, table=True):
    """A row of ``web_stars``: one item that one person has starred."""

    __tablename__ = "web_stars"

    user_id: str = Field(primary_key=True, sa_type=Text)
    catalog_item_id: str = Field(primary_key=True, sa_type=Text)
    starred_at: datetime = Field(sa_type=MOMENT)
