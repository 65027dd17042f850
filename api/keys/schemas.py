"""Bodies and answers about access keys."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas import EXAMPLE_TIME, LAST_PAGE, Moment, Pagination, RequestBody, ResponseBody
from pao.core.names import MAX_NAME, NAME_CHARACTERS, NAME_RULE

MAX_TEAMS = 100
Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, pattern=NAME_CHARACTERS, description=NAME_RULE),
]


class KeyState(StrEnum):
    """Whether calls signed with a key are accepted."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class NewKeyBody(RequestBody):
    """For whom a key is issued, and for how long it is valid."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user": "dana@example.com", "teams": ["team-orders"], "expiresIn": "90d"}]
        }
    )

    user: Name
    teams: Annotated[list[Name], Field(max_length=MAX_TEAMS)] = Field(default_factory=list)
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^\S+@\S+$")] | None = None
    expires_in: Annotated[str, Field(max_length=20)] | None = Field(
        default=None,
        description="How long it is valid, such as `12h` or `90d`; null: it never expires",
    )
    note: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="What the key is for"
    )


class AccessKey(ResponseBody):
    """An access key; its secret is never shown again."""

    access_key_id: str
    user: str
    email: str | None
    teams: list[str]
    state: KeyState
    note: str | None
    created_at: Moment
    created_by: str
    expires_at: Moment | None
    last_used_at: Moment | None = Field(description="To within five minutes")
    revoked_at: Moment | None


class AccessKeys(ResponseBody):
    """Access keys, the newest first."""

    data: list[AccessKey]
    pagination: Pagination


class IssuedKey(ResponseBody):
    """A key that was just issued, with its secret: this is the only time that it is shown."""

    access_key_id: str
    secret_access_key: str
    user: str
    teams: list[str]
    expires_at: Moment | None


class OpenedSession(ResponseBody):
    """An access key for an hour; this is the only time that its secret is shown."""

    access_key_id: str
    secret_access_key: str
    user: str
    teams: list[str] = Field(description="As of now; where AWS vouches they are read again at use")
    source: str = Field(description="Who vouched: `keys`, `sts`, `jwt` or `gateway`")
    expires_at: Moment


KEY = AccessKey(
    access_key_id="PAO5XQ2KJ7LMNOPQRSTU",
    user="dana@example.com",
    email="dana@example.com",
    teams=["team-orders"],
    state=KeyState.VALID,
    note="laptop",
    created_at=EXAMPLE_TIME,
    created_by="ada@example.com",
    expires_at=None,
    last_used_at=EXAMPLE_TIME,
    revoked_at=None,
)
KEYS = AccessKeys(data=[KEY], pagination=LAST_PAGE)
SESSION = OpenedSession(
    access_key_id="PAO5XQ2KJ7LMNOPQRSTU",
    secret_access_key="shown-this-once",  # noqa: S106 -- an example
    user="dana@example.com",
    teams=["team-orders"],
    source="sts",
    expires_at=EXAMPLE_TIME,
)
ISSUED = IssuedKey(
    access_key_id="PAO5XQ2KJ7LMNOPQRSTU",
    secret_access_key="shown-this-once",  # noqa: S106 -- an example
    user="dana@example.com",
    teams=["team-orders"],
    expires_at=EXAMPLE_TIME,
)
