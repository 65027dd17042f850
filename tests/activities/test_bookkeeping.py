"""Rows that Postgres has lost and that workflows make again."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from activities.bookkeeping import Bookkeeper
from db.session import Database
from pao.core.payloads.requests import BundleLink
from tests.support.requests import new_request


async def test_a_row_that_several_make_at_once_is_made_once(db: Database) -> None:
    given = new_request().given
    made = await asyncio.gather(*(Bookkeeper(db).make_row(given) for _ in range(4)))
    assert sorted(made) == [False, False, False, True]


async def test_a_component_that_another_request_is_already_is_an_error(db: Database) -> None:
    books, bundle = Bookkeeper(db), new_request()
    assert await books.make_row(bundle.given)
    link = BundleLink(request_id=bundle.id, component="app")
    assert await books.make_row(replace(new_request().given, bundle=link))
    with pytest.raises(IntegrityError, match="requests_component_once"):
        await books.make_row(replace(new_request().given, bundle=link))
