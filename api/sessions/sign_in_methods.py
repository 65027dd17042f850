"""The configured methods to sign in to the pages besides a link."""

from dataclasses import dataclass

from api.sessions.alb import AlbSignIn
from api.sessions.oidc import OidcSignIn

OIDC, ALB = "oidc", "alb"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInMethods:
    """The other methods to identify a person at a browser; None is off."""

    oidc: OidcSignIn | None = None
    alb: AlbSignIn | None = None

    def accepts(self, source: str) -> bool:
        """Return whether a source is configured; what it has opened goes with it."""
        return {OIDC: self.oidc, ALB: self.alb}.get(source) is not None
