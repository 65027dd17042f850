"""The registry of Terraform states and the requests that hold them, in Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager

from activities.action_errors import ActionFailedError
from db.models import TerraformState
from db.repositories.terraform_states import NewTerraformState, TerraformStatesRepository
from db.session import Database
from pao.core.errors import PaoError
from pao.core.failure_classes import NOT_READY


class StateRegistry:
    """Registers states; without a database, as in tests of a type, every state is free.

    Raises ``ActionFailedError`` if Postgres is unavailable.
    """

    def __init__(self, database: Database | None = None) -> None:
        self._database = database

    async def register(self, new: NewTerraformState) -> TerraformState | None:
        """Register a state unless it is registered; return the row that holds it."""
        if self._database is None:
            return None
        with _translating_errors():
            async with self._database.unit_of_work() as session:
                return await TerraformStatesRepository(session).register(new)

    async def holder(self, key: str) -> TerraformState | None:
        """Return the row that holds a state; None for one that is free."""
        if self._database is None:
            return None
        with _translating_errors():
            async with self._database.reading() as session:
                return await TerraformStatesRepository(session).holder(key)

    async def set_resources(self, state_id: int, count: int | None) -> None:
        """Store how many resources are in a registered state; None if that is not known."""
        if self._database is None:
            return
        with _translating_errors():
            async with self._database.unit_of_work() as session:
                await TerraformStatesRepository(session).set_resources(state_id, count)


@contextmanager
def _translating_errors() -> Iterator[None]:
    try:
        yield
    except PaoError as error:
        raise ActionFailedError(
            "The registry of Terraform states, which is in Postgres, is unavailable; nothing "
            "was changed. Retry when /health says that the database is up.",
            judged=NOT_READY,
        ) from error
