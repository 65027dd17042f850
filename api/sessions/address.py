"""Under which address browsers reach the pages, and whether they may sign in there."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class WebAddress:
    """The configured address, or else that of a process that is reached over loopback.

    A host name that is not configured is accepted for loopback only: this keeps out sessions in
    clear text, and names that an attacker's DNS points here.
    """

    public_url: str | None = None

    def of(self, scope: Scope) -> str | None:
        """Return scheme, host and port as the browser sees them; None if sign-in is impossible."""
        if self.public_url is not None:
            return self.public_url
        host = Headers(scope=scope).get("host", "")
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return None
        return f"http://{host}" if name in LOOPBACK else None

    def cookie(self, scope: Scope) -> str:
        """Return the name of the session's cookie.

        The prefix makes browsers insist on TLS and on this very host. Cookies are shared by
        all ports of a host, so over loopback the name has the port.
        """
        if self.is_secure:
            return "__Host-pao"
        server = scope.get("server") or ("", 0)
        return f"pao-{server[1]}"

    def sign_in_cookie(self, scope: Scope) -> str:
        """Return the name of the cookie of a sign-in in progress, which has its own path."""
        if self.is_secure:
            return "__Secure-pao-signin"
        return f"{self.cookie(scope)}-signin"

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.public_url is not None and self.public_url.startswith("https:")
