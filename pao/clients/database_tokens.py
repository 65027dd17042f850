"""Tokens in place of the password of an Aurora or RDS database (IAM authentication)."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

# A token is accepted for 15 minutes; a connection that it opened stays.
MAX_AGE_SECONDS = 600.0


class DatabaseTokenError(Exception):
    """AWS gave no token; the text is the type of the error, without credentials."""


@dataclass(slots=True)
class DatabaseTokens:
    """Makes the tokens of one user at one database: one at a time, and each for ten minutes.

    Call it for a token; raises ``DatabaseTokenError``. Making one may ask AWS for credentials,
    so it is done in a thread.
    """

    host: str
    port: int
    user: str
    region: str
    _token: str = field(default="", repr=False)
    _made_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def __call__(self) -> str:
        """Return a valid token."""
        async with self._lock:
            if self.age() > MAX_AGE_SECONDS:
                self._token = await asyncio.to_thread(self._make)
                self._made_at = time.monotonic()
            return self._token

    def age(self) -> float:
        """Return the seconds since the token was made; infinite before the first one."""
        return time.monotonic() - self._made_at

    def _make(self) -> str:
        import boto3  # noqa: PLC0415 -- takes 0.3 s to load, and most set-ups need it not
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- as above

        try:
            # A new session: the default one is not thread-safe.
            client: Any = boto3.session.Session().client("rds", region_name=self.region)
            return str(
                client.generate_db_auth_token(
                    DBHostname=self.host, Port=self.port, DBUsername=self.user, Region=self.region
                )
            )
        except (BotoCoreError, ClientError) as error:
            raise DatabaseTokenError(type(error).__name__) from error
