"""Contents that are fetched one by one, and what is left of them when that fails."""

import pytest

from catalog.sources.source import SourceLimitedError
from pao.app.git_sources.blobs import fetch_singly


async def test_what_was_found_before_a_failure_is_told_without_files_that_are_too_long() -> None:
    fetched: list[str] = []

    async def fetch(blob: str) -> bytes | None:
        fetched.append(blob)
        if blob == "limited":
            raise SourceLimitedError("no calls are left")
        return None if blob == "huge" else b"good"

    found = {"archived": b"as well"}
    assert await fetch_singly(["archived", "good", "huge"], fetch, found) == found | {
        "good": b"good"
    }
    assert fetched == ["good", "huge"]
    with pytest.raises(SourceLimitedError) as told:
        await fetch_singly(["archived", "good", "huge", "limited"], fetch, found)
    assert told.value.found == found | {"good": b"good"}
