"""Answers about signing in to the pages."""

from pydantic import Field

from api.schemas import Id, Moment, ResponseBody

_TIME = "2026-03-05T14:07:09.123Z"


class WebSignIn(ResponseBody):
    """A link that opens a session of the pages, once."""

    url: str = Field(description="To be opened in a browser; the code is in its fragment")
    expires_at: Moment


class WebSession(ResponseBody):
    """Somebody who is signed in to the pages."""

    id: Id
    user: str
    source: str = Field(description="How the session was opened; `link` is `pao web`")
    access_key_id: str | None = Field(description="The key that asked for the link")
    user_agent: str
    created_at: Moment
    seen_at: Moment = Field(description="When it was used last, to the minute")
    ends_at: Moment = Field(description="At the latest; earlier when it is not used for 8 hours")


class WebSessions(ResponseBody):
    """Open sessions, the newest first."""

    data: list[WebSession]


SIGN_IN = WebSignIn(
    url="https://pao.example.com/signin#qL1m0sYc1xk1rQy8t2JH7nM3bWz5vKd9uPfA6eXgR4o",
    expires_at=_TIME,
)
SESSION = WebSession(
    id="0d2f7f5e-6a5b-4f0c-9a1c-2f1c3f7d9b11",
    user="dana",
    source="link",
    access_key_id="PAO5XQ2KJ7LMNOPQRSTU",
    user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0",
    created_at=_TIME,
    seen_at=_TIME,
    ends_at=_TIME,
)
SESSIONS = WebSessions(data=[SESSION])
