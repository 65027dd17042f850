"""Counting the API processes, which share the rate limits out among them."""

import asyncio

from api.ratelimit import Replicas
from db.availability import DatabaseUnavailableError
from db.process_connections import ProcessName, check_connections
from db.repositories.connections import ConnectionsRepository
from db.session import Database
from pao.runtime.background import BackgroundTask

COUNT_SECONDS = 10.0


class ReplicaCounter:
    """Counts the API processes that listen, as long as this one runs; warns once at its start.

    While the database is unavailable the last number counts.
    """

    def __init__(self, database: Database, replicas: Replicas, name: ProcessName) -> None:
        self._database = database
        self._replicas = replicas
        self._name = name
        self.task = BackgroundTask("replica-count", self._keep_counting)

    async def _keep_counting(self) -> None:
        is_checked = False
        while True:
            try:
                if not is_checked:
                    await check_connections(self._database, self._name)
                    is_checked = True
                async with self._database.reading() as session:
                    self._replicas.update_count(await ConnectionsRepository(session).listeners())
                self.task.mark_healthy()
            except DatabaseUnavailableError:
                pass  # the outage itself is logged, and shown by health
            await asyncio.sleep(COUNT_SECONDS)
