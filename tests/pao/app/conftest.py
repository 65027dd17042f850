"""What the tests of a catalog that is brought into service begin with."""

import pytest

from db.session import Database
from tests.support.catalog_source import Repository


@pytest.fixture
def opened(db: Database) -> Database:
    """The database as the process has it open that brings the catalog into service."""
    return db


@pytest.fixture
def source() -> Repository:
    """A source of three items."""
    made = Repository()
    made.put("tool-a-a", "tool-b-b", "tool-c-c")
    return made
