"""Authentication to JIRA: the kinds of credentials, and their secrets."""

import base64
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote_plus

from pydantic import SecretStr


class JiraAuth(Protocol):
    """Credentials of an instance, which are never in a message."""

    def authorization(self) -> str | None:
        """Return the Authorization header; None if a token must be fetched first."""

    def secrets(self) -> tuple[str, ...]:
        """Return what must be masked if JIRA or a proxy echoes it."""


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User name with a password (Data Center) or e-mail with an API token (Cloud)."""

    username: str
    token: SecretStr

    def authorization(self) -> str | None:
        """Return the header, encoded as UTF-8."""
        return f"Basic {self._encode_pair()}"

    def secrets(self) -> tuple[str, ...]:
        """Return the token, and the encoded pair."""
        return (self.token.get_secret_value(), self._encode_pair())

    def _encode_pair(self) -> str:
        pair = f"{self.username}:{self.token.get_secret_value()}"
        return base64.b64encode(pair.encode()).decode()


@dataclass(frozen=True, slots=True)
class PatAuth:
    """A personal access token of Data Center, sent as a bearer token."""

    token: SecretStr

    def authorization(self) -> str | None:
        """Return the header."""
        return f"Bearer {self.token.get_secret_value()}"

    def secrets(self) -> tuple[str, ...]:
        """Return the token."""
        return (self.token.get_secret_value(),)


@dataclass(frozen=True, slots=True)
class OAuth2Auth:
    """OAuth 2 client credentials: a token is fetched at ``token_url`` and used until it expires.

    ``in_header`` sends them as client_secret_basic (RFC 6749, section 2.3.1), else in the form.
    """

    client_id: str
    client_secret: SecretStr
    token_url: str
    scope: str | None = None
    in_header: bool = False

    def authorization(self) -> str | None:
        """Return None: the token is kept by the client (tokens.py)."""
        return None

    def secrets(self) -> tuple[str, ...]:
        """Return the client's secret, and the encoded pair."""
        return (self.client_secret.get_secret_value(), self.basic().partition(" ")[2])

    def basic(self) -> str:
        """Return the header of client_secret_basic: both parts are form-encoded first."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret.get_secret_value())}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
