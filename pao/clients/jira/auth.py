"""How PAO proves itself to a JIRA: the kinds of credentials, and hiding them in what comes back."""

import base64
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote_plus

from pydantic import SecretStr

MASK = "***"


class JiraAuth(Protocol):
    """Credentials of an instance; nothing of them is ever in a message."""

    def authorization(self) -> str | None:
        """Return the Authorization header, or None where a token must be fetched first."""

    def mask(self, text: str) -> str:
        """Return the text without the credentials, should a proxy have echoed them."""


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User name with a password (Data Center) or e-mail with an API token (Cloud)."""

    username: str
    token: SecretStr

    def authorization(self) -> str | None:
        """Return the header, in UTF-8 whatever the letters."""
        return f"Basic {self._encoded()}"

    def mask(self, text: str) -> str:
        """Return the text without the token, plain or encoded."""
        return without(without(text, self._encoded()), self.token.get_secret_value())

    def _encoded(self) -> str:
        pair = f"{self.username}:{self.token.get_secret_value()}"
        return base64.b64encode(pair.encode()).decode()


@dataclass(frozen=True, slots=True)
class PatAuth:
    """A personal access token of Data Center, sent as a bearer token."""

    token: SecretStr

    def authorization(self) -> str | None:
        """Return the header."""
        return f"Bearer {self.token.get_secret_value()}"

    def mask(self, text: str) -> str:
        """Return the text without the token."""
        return without(text, self.token.get_secret_value())


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

    def mask(self, text: str) -> str:
        """Return the text without the client's secret, plain or encoded."""
        hidden = without(text, self.basic().partition(" ")[2])
        return without(hidden, self.client_secret.get_secret_value())

    def basic(self) -> str:
        """Return the header of client_secret_basic: both parts are form-encoded first."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret.get_secret_value())}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


def without(text: str, secret: str) -> str:
    """Return the text with the secret replaced; an empty secret replaces nothing."""
    return text.replace(secret, MASK) if secret else text
