"""The one place that distinguishes 'the database is unavailable' from other database errors."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pao.core.errors import ErrorCode, PaoError

RETRY_AFTER_SECONDS = "2"

AWAY_CLASSES = ("08", "53", "57")
"""SQLSTATE classes: connection lost, resources exhausted, operator intervention (shutdown, a
statement that took too long). Source: PostgreSQL manual, appendix A."""

AWAY_STATES = frozenset({"25006", "25P03", "55P03"})
"""A server that only reads (a standby after a failover), a transaction that was idle too long, a
lock that could not be acquired in time."""

_LOGIN_CLASS = "28"
_NO_DATABASE = "3D000"


class Trouble(Enum):
    """Why the database cannot be used: what it does, and what helps."""

    AWAY = ("does not answer", "Try again in a moment.")
    LOGIN = (
        "refuses this service's login",
        "The operator must correct the user, the password or the token.",
    )
    MISSING = ("does not exist on its server", "The operator must correct the name or create it.")
    TLS = (
        "cannot be reached over TLS as configured",
        "The operator must check the certificates and the TLS mode.",
    )
    REFUSED = ("refuses the connection", "The reason is in this service's log.")


class DatabaseUnavailableError(PaoError):
    """The database cannot be used now: 503, try again.

    ``outcome_unknown`` is set when the line broke during the commit: the work may have been stored.
    ``reason`` says in a few words what is the matter; it names no host and no user.
    """

    def __init__(self, trouble: Trouble = Trouble.AWAY, *, outcome_unknown: bool = False) -> None:
        self.reason, help_ = trouble.value
        super().__init__(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"The database {self.reason}. {help_}",
            headers={"Retry-After": RETRY_AFTER_SECONDS},
        )
        self.trouble = trouble
        self.outcome_unknown = outcome_unknown


@contextmanager
def translated(*, outcome_unknown: bool = False) -> Iterator[None]:
    """Raise ``DatabaseUnavailableError`` for every error that means it."""
    try:
        yield
    except (OSError, PoolTimeoutError) as error:
        # OSError includes a refused connection and every TimeoutError.
        raise DatabaseUnavailableError(outcome_unknown=outcome_unknown) from error
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if not _means_away(error):
            raise
        raise DatabaseUnavailableError(outcome_unknown=outcome_unknown) from error


@contextmanager
def connecting() -> Iterator[None]:
    """Raise ``DatabaseUnavailableError`` for whatever goes wrong while a connection is made.

    The place decides, not the kind of the error: nothing was asked of the database yet.
    """
    try:
        yield
    except PaoError:
        raise
    except Exception as error:
        raise DatabaseUnavailableError(_trouble(error)) from error


def said(error: BaseException | None) -> str:
    """Return an error in one line; it may name hosts and users, but no password."""
    text = " ".join(str(error).split()) if error else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _trouble(error: Exception) -> Trouble:
    """Classify an error of connecting."""
    source = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(source, "sqlstate", None) or ""
    if isinstance(source, ssl.SSLError | ssl.CertificateError):
        return Trouble.TLS
    if state.startswith(_LOGIN_CLASS):
        return Trouble.LOGIN
    if state == _NO_DATABASE:
        return Trouble.MISSING
    away = isinstance(source, OSError | PoolTimeoutError | asyncpg.PostgresConnectionError)
    return Trouble.AWAY if away or state.startswith(AWAY_CLASSES) else Trouble.REFUSED


def _means_away(error: DBAPIError | asyncpg.PostgresError | asyncpg.InterfaceError) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    source = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(source, "sqlstate", None) or ""
    return state.startswith(AWAY_CLASSES) or state in AWAY_STATES
