"""Finding, ranking and counting items in memory."""

from api.catalog.index import CatalogQuery, Index, row_of
from db.repositories.catalog import ItemOutline

ROWS = [
    ("database-postgresql-standard", "PostgreSQL Database", "databases", "team-db", ["sql"]),
    ("database-redis-cache", "Redis Cache", "databases", "team-db", ["cache", "postgresql"]),
    ("network-dns-record", "DNS Record", "network", "team-net", ["dns"]),
    ("network-zone", "Zone", "network", None, []),
]


def outline(
    name: str, title: str, category: str, owner: str | None, tags: list[str]
) -> ItemOutline:
    return ItemOutline(
        id=name,
        kind="CatalogItem",
        version="1.0.0",
        name=title,
        category=category,
        owner_team=owner,
        file_path=f"{category}/{name}.yaml",
        sha="abc",
        stale=False,
        generation=1,
        metadata={"tags": tags, "description": f"About {title}; a zone of records."},
        deprecation=None,
        components=None,
    )


INDEX = Index().updated(
    [row_of(outline(*row)) for row in ROWS], keep=[row[0] for row in ROWS], generation=1
)


def ids(**wanted: str) -> list[str]:
    return [row.id for _, row in INDEX.find(CatalogQuery(**wanted)).rows]


def test_without_words_items_come_by_id() -> None:
    assert ids() == sorted(row[0] for row in ROWS)


def test_a_hit_in_the_name_comes_before_one_in_tags_and_that_before_one_in_the_text() -> None:
    assert ids(q="postgresql") == ["database-postgresql-standard", "database-redis-cache"]
    assert ids(q="zone")[0] == "network-zone"


def test_every_word_must_be_somewhere_whatever_its_case() -> None:
    assert ids(q="DNS team-net") == ["network-dns-record"]
    assert ids(q="dns redis") == []
    assert ids(q="redi") == ["database-redis-cache"]


def test_the_whole_id_is_the_best_hit() -> None:
    assert ids(q="network-zone")[0] == "network-zone"


def test_blanks_ask_for_nothing() -> None:
    assert len(ids(q="   ")) == 4


def test_counts_of_a_facet_leave_its_own_filter_out_and_keep_the_others() -> None:
    facets = INDEX.find(CatalogQuery(category="databases", tag="cache")).facets
    assert facets["category"] == {"databases": 1}
    assert facets["tag"] == {"sql": 1, "cache": 1, "postgresql": 1}
    assert INDEX.find(CatalogQuery(category="databases")).facets["category"] == {
        "databases": 2,
        "network": 2,
    }


def test_a_change_keeps_what_it_is_told_to_keep() -> None:
    row = row_of(outline("network-area", "Area", "network", "team-net", []))
    index = INDEX.updated([row], keep=["network-area", "network-zone"], generation=2)
    assert list(index.rows) == ["network-area", "network-zone"]
    assert index.generation == 2
    assert index.owners == {"team-net"}
