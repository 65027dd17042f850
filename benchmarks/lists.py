"""The list page with few and with very many stored requests: filling the table, reading pages.

Rows are written with SQL, finished and by other people, spread evenly over a year. Thirty of them
belong to the developer who lists; pages are of the same length in both states.
"""

from datetime import UTC, datetime
from functools import partial

import asyncpg

from benchmarks.load import ITEM, LoadCaller, StackAddresses, Timed

FEW = 100
OWN = 30
PAGE = 15
MIDDLE = datetime(2026, 1, 1, tzinfo=UTC)
"""The middle of the filled year: pages before it are deep ones."""

ADMIN = "list, admin"
DEVELOPER = "list, developer with 30"
DEEP = "list, admin, middle by cursor"
CONTROL = "catalog item"

# The definition and the plan are those of a real request, so that rows have their real size.
_FILL = """
INSERT INTO requests (
    id, catalog_item_id, catalog_item_version, catalog_item_name, owner_team, item_definition,
    plan, user_id, user_email, user_teams, status, fields, correlation_id, created_at, updated_at
)
SELECT
    gen_random_uuid(), sample.catalog_item_id, sample.catalog_item_version,
    sample.catalog_item_name, 'team-owner-' || number % 20, sample.item_definition, sample.plan,
    coalesce($4, 'user-' || number % 1000), 'user@example.com',
    ARRAY['team-' || number % 50], 'completed', sample.fields, gen_random_uuid(), moment, moment
FROM
    (SELECT * FROM requests WHERE catalog_item_id = $3 ORDER BY created_at LIMIT 1) AS sample,
    generate_series(1, $1::integer) AS number,
    LATERAL (
        SELECT $2::timestamptz + (number / $1::float - 0.5) * interval '1 year' AS moment
    ) AS spread
"""


async def fill(owner_url: str, *, wanted: int) -> int:
    """Add rows until ``wanted`` requests are stored; return how many are."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            # Otherwise every row would get an audit line as a repair by hand.
            await connection.execute("SELECT set_config('pao.audit', 'explicit', true)")
            await _add(connection, wanted=wanted)
        await connection.execute("VACUUM (ANALYZE)")
        stored: int = await connection.fetchval("SELECT count(*) FROM requests")
    finally:
        await connection.close()
    return stored


async def _add(connection: asyncpg.Connection, *, wanted: int) -> None:
    own = await connection.fetchval("SELECT count(*) FROM requests WHERE user_id = 'dana'")
    await connection.execute(_FILL, max(OWN - own, 0), MIDDLE, ITEM, "dana")
    stored = await connection.fetchval("SELECT count(*) FROM requests")
    await connection.execute(_FILL, max(wanted - stored, 0), MIDDLE, ITEM, None, timeout=300)


async def pages(place: StackAddresses, *, each: int) -> dict[str, list[float]]:
    """Read every kind of page by turns, with a read beside them that no number of rows can touch.

    That one shows how the machine's speed varies between two runs. Returns seconds by kind.
    """
    before = {"until": MIDDLE.isoformat().replace("+00:00", "Z"), "limit": PAGE}
    async with LoadCaller(place, "admin") as admin, LoadCaller(place, "developer") as developer:
        first = (await admin.read("/requests", **before))[1]
        deep = {**before, "cursor": first["pagination"]["nextCursor"]}
        kinds = {
            ADMIN: partial(_page, admin, limit=PAGE),
            DEVELOPER: partial(_page, developer, limit=PAGE),
            DEEP: partial(_page, admin, **deep),
            CONTROL: partial(_item, admin),
        }
        seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(each):
            for kind, read in kinds.items():
                seconds[kind].append((await read()).seconds)
    return seconds


async def _page(api: LoadCaller, **query: object) -> Timed:
    timed, document = await api.read("/requests", **query)
    rows = len(document["data"])
    if rows != PAGE:
        raise RuntimeError(f"a page of {rows} rows instead of {PAGE}: {query}")
    return timed


async def _item(api: LoadCaller) -> Timed:
    return (await api.read(f"/catalog/items/{ITEM}"))[0]
