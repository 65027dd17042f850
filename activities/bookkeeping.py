"""Writing to Postgres what the workflow says: the mirror. Nothing here decides anything."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from db.repositories.mirror import MirrorRepository
from db.session import Database
from pao.core import names
from pao.core.payloads import MirrorAnswer, Snapshot


class Bookkeeper:
    """Keeps the mirror; safe to share between tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def activities(self) -> list[Callable[..., Any]]:
        """Give the mirror activity."""

        @activity.defn(name=names.MIRROR_ACTIVITY)
        async def mirror(snapshot: Snapshot) -> MirrorAnswer:
            return await self.mirror(snapshot)

        return [mirror]

    async def mirror(self, snapshot: Snapshot) -> MirrorAnswer:
        """Write a snapshot; a state that the database refuses is a bug and is not tried again."""
        try:
            async with self._database.unit_of_work() as session:
                return await MirrorRepository(session).write(snapshot)
        except (IntegrityError, DataError, ProgrammingError) as error:
            raise ApplicationError(
                f"the database refused the state: {type(error.orig).__name__}",
                type="MirrorRefused",
                non_retryable=True,
            ) from error
