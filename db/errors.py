"""The one place that tells 'the database is away' from every other error of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pao.core.errors import ErrorCode, PaoError

RETRY_AFTER_SECONDS = "2"

AWAY_CLASSES = ("08", "53", "57")
"""SQLSTATE classes: connection lost, resources exhausted, operator intervention (shutdown, a
statement that took too long). Source: PostgreSQL manual, appendix A."""

AWAY_STATES = frozenset({"25P03", "55P03"})
"""A transaction that idled too long, and a lock that was not to be had in time."""


class DatabaseUnavailable(PaoError):  # noqa: N818 -- it names a state of the world, as its code does
    """The database cannot be used now: 503, come again.

    ``outcome_unknown`` is set when the line broke during the commit: the work may have been stored.
    """

    def __init__(self, *, outcome_unknown: bool = False) -> None:
        super().__init__(
            ErrorCode.SERVICE_UNAVAILABLE,
            "The database does not answer. Try again in a moment.",
            headers={"Retry-After": RETRY_AFTER_SECONDS},
        )
        self.outcome_unknown = outcome_unknown


@contextmanager
def translated(*, outcome_unknown: bool = False) -> Iterator[None]:
    """Raise ``DatabaseUnavailable`` in place of every error that means the database is away."""
    try:
        yield
    except (OSError, PoolTimeoutError) as error:
        # OSError includes a refused connection and every TimeoutError.
        raise DatabaseUnavailable(outcome_unknown=outcome_unknown) from error
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if not _means_away(error):
            raise
        raise DatabaseUnavailable(outcome_unknown=outcome_unknown) from error


def _means_away(error: DBAPIError | asyncpg.PostgresError | asyncpg.InterfaceError) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    source = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(source, "sqlstate", None) or ""
    return state.startswith(AWAY_CLASSES) or state in AWAY_STATES
