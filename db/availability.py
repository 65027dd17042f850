"""The one place that distinguishes 'the database is unavailable' from other database errors."""

import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pao.clients.database_tokens import DatabaseTokenError
from pao.core.errors import ErrorCode, PaoError

T = TypeVar("T")

RETRY_AFTER_SECONDS = "2"

UNAVAILABLE_CLASSES = ("08", "53", "57")
"""SQLSTATE classes: connection lost, resources exhausted, operator intervention (shutdown, a
statement that took too long). Source: PostgreSQL manual, appendix A."""

UNAVAILABLE_STATES = frozenset({"25006", "25P03", "55P03"})
"""A server that only reads (a standby after a failover), a transaction that was idle too long, a
lock that could not be acquired in time."""

_LOGIN_CLASS = "28"
_NO_DATABASE = "3D000"
_NO_RIGHT = "42501"
_OTHER_SCHEMA = frozenset({"42P01", "42703", "42883", "3F000"})
"""A table, column, function or schema is missing: migrations were not applied."""


class DatabaseProblem(Enum):
    """Why the database cannot be used, and what to do about it."""

    UNAVAILABLE = ("does not answer", "Try again in a moment.")
    LOGIN = (
        "rejects this service's login",
        "The operator must correct the user, the password or the token.",
    )
    MISSING = ("does not exist on its server", "The operator must correct the name or create it.")
    TOKEN = (
        "cannot be used: AWS issued no token",
        "The operator must check the service's AWS credentials.",
    )
    TLS = (
        "cannot be reached over TLS as configured",
        "The operator must check the certificates and the TLS mode.",
    )
    SCHEMA = (
        "lacks what this version of PAO needs",
        "The operator must run `pao db migrate` as its owner.",
    )
    RIGHTS = (
        "does not give this role the rights that it needs",
        "The operator must run `pao db migrate` as its owner, and connect as the service's role.",
    )
    REFUSED = ("refuses the connection", "The reason is in this service's log.")


class DatabaseUnavailableError(PaoError):
    """The database cannot be used now: 503, try again.

    ``outcome_unknown`` is set when the connection broke during the commit: it may have succeeded,
    or still succeed in a moment.
    ``reason`` says briefly what is wrong, ``help`` what to do; they name no host and no user.
    ``is_logged`` is set once it is logged with its cause.
    """

    is_logged = False

    def __init__(
        self,
        problem: DatabaseProblem = DatabaseProblem.UNAVAILABLE,
        *,
        outcome_unknown: bool = False,
    ) -> None:
        self.reason, self.help = problem.value
        super().__init__(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"The database {self.reason}. {self.help}",
            headers={"Retry-After": RETRY_AFTER_SECONDS},
        )
        self.problem = problem
        self.outcome_unknown = outcome_unknown


async def known_outcome(write: Callable[[], Awaitable[T]]) -> T:
    """Return the result of a write, repeated once where the outcome of the first is unknown.

    The repetition must have the same result whether the first was carried out, is still going on,
    or never began. Raises ``DatabaseUnavailableError``, ``outcome_unknown`` where it stays unknown.
    """
    try:
        return await write()
    except DatabaseUnavailableError as error:
        if not error.outcome_unknown:
            raise
    try:
        return await write()
    except DatabaseUnavailableError as error:
        error.outcome_unknown = True
        raise


@contextmanager
def translate_errors(*, outcome_unknown: bool = False) -> Iterator[None]:
    """Raise ``DatabaseUnavailableError`` for every error that means it.

    ``outcome_unknown`` says that what the block sends is carried out at once; where the server
    itself refused it, the outcome is known all the same.
    """
    try:
        yield
    except (OSError, PoolTimeoutError) as error:
        # OSError includes a refused connection and every TimeoutError.
        raise DatabaseUnavailableError(outcome_unknown=outcome_unknown) from error
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        problem = (
            DatabaseProblem.UNAVAILABLE
            if _means_unavailable(error)
            else _STATEMENT_PROBLEMS.get(_sqlstate(error))
        )
        if problem is None:
            raise
        is_doubtful = outcome_unknown and not _is_refusal(error)
        raise DatabaseUnavailableError(problem, outcome_unknown=is_doubtful) from error


@contextmanager
def translate_connect_errors() -> Iterator[None]:
    """Raise ``DatabaseUnavailableError`` for whatever goes wrong while a connection is made.

    Every kind of error counts: no statement was sent yet.
    """
    try:
        yield
    except PaoError:
        raise
    except Exception as error:
        raise DatabaseUnavailableError(_connect_problem(error)) from error


def describe_error(error: BaseException | None) -> str:
    """Return an error in one line; it may name hosts and users, but no password."""
    if isinstance(error, DBAPIError):
        # SQLAlchemy adds the statement and its parameters.
        error = error.orig.__cause__ or error.orig if error.orig else error
    text = " ".join(str(error).split()) if error else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


_STATEMENT_PROBLEMS = {_NO_RIGHT: DatabaseProblem.RIGHTS} | dict.fromkeys(
    _OTHER_SCHEMA, DatabaseProblem.SCHEMA
)


def _driver_error(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _sqlstate(error: Exception) -> str:
    return getattr(_driver_error(error), "sqlstate", None) or ""


def _is_refusal(error: Exception) -> bool:
    """Return whether the server has rolled back: not where it, or the connection, went away."""
    state = _sqlstate(error)
    return state != "" and not state.startswith(("08", "57P0"))


def _connect_problem(error: Exception) -> DatabaseProblem:
    """Classify an error of connecting."""
    source, state = _driver_error(error), _sqlstate(error)
    if isinstance(source, DatabaseTokenError):
        return DatabaseProblem.TOKEN
    if isinstance(source, ssl.SSLError | ssl.CertificateError):
        return DatabaseProblem.TLS
    if state.startswith(_LOGIN_CLASS):
        return DatabaseProblem.LOGIN
    if state == _NO_DATABASE:
        return DatabaseProblem.MISSING
    unavailable = isinstance(source, OSError | PoolTimeoutError | asyncpg.PostgresConnectionError)
    return (
        DatabaseProblem.UNAVAILABLE
        if unavailable or state.startswith(UNAVAILABLE_CLASSES)
        else DatabaseProblem.REFUSED
    )


def _means_unavailable(error: DBAPIError | asyncpg.PostgresError | asyncpg.InterfaceError) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = _sqlstate(error)
    return state.startswith(UNAVAILABLE_CLASSES) or state in UNAVAILABLE_STATES
