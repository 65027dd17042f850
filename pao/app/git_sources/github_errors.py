"""Converts errors of GitHub to errors of a source, without secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from catalog.sources.source import (
    SourceGoneError,
    SourceLimitedError,
    SourceRefusedError,
    SourceUnavailableError,
)
from pao.clients.github import GitHubError
from pao.core.failure_classes import HIDDEN, REDIRECT, Cause
from pao.runtime.masking import SecretMasks

_MOVED = frozenset({301, 307, 308})


@contextmanager
def as_source_errors(masks: SecretMasks) -> Iterator[None]:
    """Convert errors of the client to those of a source."""
    try:
        yield
    except GitHubError as error:
        raise _source_error(error, masks.hide(error.message)) from error


def _source_error(error: GitHubError, message: str) -> SourceUnavailableError:
    if error.judged is HIDDEN:
        advice = "Correct CATALOG_REPOSITORY, or let the token or App see the repository."
        return SourceGoneError(f"{message} {advice}")
    if error.judged is REDIRECT and error.status in _MOVED:
        return SourceGoneError(f"{message} Correct CATALOG_REPOSITORY.")
    if error.judged.cause is Cause.QUOTA:
        wait = timedelta(seconds=min(error.wait or 60.0, 86_400.0))
        return SourceLimitedError(message, until=datetime.now(UTC) + wait)
    if error.judged.cause is Cause.ACCESS:
        return SourceRefusedError(message)
    return SourceUnavailableError(message)
