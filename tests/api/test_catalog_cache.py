"""What a process keeps of the catalog: for how long, how much, and loaded once."""

import asyncio

import pytest

from api.catalog.cache import OVERHEAD, WEIGHT, CatalogCache


class Loader:
    """Counts how often it was asked."""

    def __init__(self, length: int = 10) -> None:
        self.asked = 0
        self._length = length

    async def __call__(self) -> tuple[int, int]:
        self.asked += 1
        await asyncio.sleep(0)
        return self.asked, self._length


async def test_a_value_is_loaded_once_and_again_after_its_time() -> None:
    now = 0.0
    cache = CatalogCache(10**6, timer=lambda: now)
    load = Loader()
    assert [await cache.get("a", load, seconds=60) for _ in range(3)] == [1, 1, 1]
    now = 59.0
    assert await cache.get("a", load, seconds=60) == 1
    now = 61.0
    assert await cache.get("a", load, seconds=60) == 2


async def test_values_may_be_kept_for_different_times() -> None:
    now = 0.0
    cache = CatalogCache(10**6, timer=lambda: now)
    short, long = Loader(), Loader()
    await cache.get("short", short, seconds=10)
    await cache.get("long", long, seconds=100)
    now = 50.0
    await cache.get("short", short, seconds=10)
    await cache.get("long", long, seconds=100)
    assert (short.asked, long.asked) == (2, 1)


async def test_callers_who_ask_at_once_wait_for_one_load() -> None:
    cache, load = CatalogCache(10**6), Loader()
    assert set(await asyncio.gather(*(cache.get("a", load, seconds=60) for _ in range(20)))) == {1}


async def test_the_least_recently_used_goes_when_the_bound_is_reached() -> None:
    cache = CatalogCache(3 * (10 * WEIGHT + OVERHEAD))
    loaders = {name: Loader() for name in "abcd"}
    for name in "abcad":
        await cache.get(name, loaders[name], seconds=60)
    assert len(cache) == 3
    for name in "acd":
        await cache.get(name, loaders[name], seconds=60)
    assert {name: loader.asked for name, loader in loaders.items()} == dict.fromkeys("abcd", 1)
    await cache.get("b", loaders["b"], seconds=60)
    assert loaders["b"].asked == 2


async def test_a_value_that_is_larger_than_everything_is_given_and_not_kept() -> None:
    cache, load = CatalogCache(1_000), Loader(length=1_000_000)
    assert [await cache.get("a", load, seconds=60) for _ in range(2)] == [1, 2]
    assert cache.size == 0


async def test_a_load_that_fails_is_tried_again() -> None:
    cache = CatalogCache(10**6)

    async def fail() -> tuple[int, int]:
        raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        await cache.get("a", fail, seconds=60)
    assert await cache.get("a", Loader(), seconds=60) == 1


async def test_a_caller_who_goes_away_takes_nothing_from_the_others() -> None:
    cache, load = CatalogCache(10**6), Loader()
    first = asyncio.create_task(cache.get("a", load, seconds=60))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.get("a", load, seconds=60))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
