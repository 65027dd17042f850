"""Table ``terraform_states``: which request works on which Terraform state."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class TerraformState(SQLModel, table=True):
    """A row of ``terraform_states``; ``resources`` is None if the number is not known.

    ``state_key`` is the digest of where the state is, ``place`` says it for people.
    """

    __tablename__ = "terraform_states"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    state_key: str = Field(sa_type=Text)
    place: str = Field(sa_type=Text)
    shared: bool = False
    request_id: UUID
    action_id: str = Field(sa_type=Text)
    item_id: str = Field(sa_type=Text)
    user_id: str = Field(sa_type=Text)
    owner_team: str | None = Field(default=None, sa_type=Text)
    resources: int | None = None
    registered_at: datetime = Field(sa_type=MOMENT)
    released_at: datetime | None = Field(default=None, sa_type=MOMENT)
    released_by: str | None = Field(default=None, sa_type=Text)
    release_note: str | None = Field(default=None, sa_type=Text)
