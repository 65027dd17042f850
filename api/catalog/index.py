"""All items in service as lists show them: searched, ranked and counted in memory. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cachetools import LRUCache

from db.repositories.catalog import ItemOutline

# The score of a word of the query by where it occurs; the best place counts.
WHOLE, NAME_START, NAME_WORD, TAG, NAME_PART, TAG_PART, OWNER, TEXT = 100, 40, 30, 25, 20, 15, 8, 3
MOST_TAGS = 50
LIST = "CatalogList"
MOST_WORDS = 10
# Lists that are asked for again and again; one of a catalog of 2,000 items takes 150 kB.
MOST_ANSWERS = 64


@dataclass(frozen=True)
class Row:
    """One item: what the list shows, and what is searched."""

    id: str
    kind: str
    name: str
    description: str
    version: str
    category: str
    owner: str | None
    tags: tuple[str, ...]
    allowed_teams: frozenset[str]
    components: tuple[str, ...]
    deprecated: bool
    withdrawn_from: str | None
    stale: bool
    generation: int
    provisioning_time: str | None = None
    monthly_cost: str | None = None
    file: str = ""

    @property
    def is_requested(self) -> bool:
        """Whether it can be requested; a list only provides choices for forms."""
        return self.kind != LIST

    @cached_property
    def text(self) -> str:
        """Everything that a query may hit, without case."""
        parts = (self.id, self.name, self.description, self.category, self.owner or "", *self.tags)
        return "\n".join(parts).casefold()

    @cached_property
    def _names(self) -> tuple[str, str]:
        return self.id.casefold(), self.name.casefold()

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(" ".join(self._names).replace("-", " ").split())

    @cached_property
    def _tags(self) -> frozenset[str]:
        return frozenset(tag.casefold() for tag in self.tags)

    def rank(self, words: Collection[str]) -> int:
        """Return how well the item matches the words; 0 when one of them does not occur."""
        text = self.text
        for word in words:  # Not by ``any``: every search asks this of every row.
            if word not in text:
                return 0
        whole = " ".join(words)
        bonus = WHOLE if whole in self._names else 0
        return bonus + sum(self._worth(word) for word in words)

    def _worth(self, word: str) -> int:
        if word in self._words:
            return NAME_WORD + (NAME_START if self._begins(word) else 0)
        if self._begins(word):
            return NAME_START
        if word in self._tags:
            return TAG
        if any(word in name for name in self._names):
            return NAME_PART
        if any(word in tag for tag in self._tags):
            return TAG_PART
        return OWNER if word in f"{self.category} {self.owner}".casefold() else TEXT

    def _begins(self, word: str) -> bool:
        return any(name.startswith(word) for name in self._names)


def row_of(outline: ItemOutline) -> Row:
    """Return the row of a stored item."""
    metadata, deprecation = outline.metadata or {}, outline.deprecation or {}
    access = metadata.get("access") or {}
    return Row(
        id=outline.id,
        kind=outline.kind,
        name=outline.name,
        description=metadata.get("description") or "",
        version=outline.version,
        category=outline.category or "",
        owner=outline.owner_team,
        tags=tuple(metadata.get("tags") or ()),
        allowed_teams=frozenset(access.get("allowedTeams") or ()),
        components=tuple(part["catalogItem"] for part in outline.components or ()),
        deprecated=bool(deprecation.get("deprecated")),
        withdrawn_from=deprecation.get("sunsetDate") if deprecation.get("deprecated") else None,
        stale=outline.stale,
        generation=outline.generation,
        provisioning_time=(metadata.get("sla") or {}).get("provisioningTime"),
        monthly_cost=monthly_cost(metadata),
        file=outline.file_path,
    )


def monthly_cost(metadata: Mapping[str, Any]) -> str | None:
    """Return what an item costs a month, with its currency, where its author says so."""
    cost = metadata.get("cost") or {}
    amount = cost.get("baseMonthly")
    return None if amount is None else f"{amount:,} {cost.get('currency') or ''}".strip()


@dataclass(frozen=True, slots=True)
class CatalogQuery:
    """The filters of a list; None filters by nothing."""

    category: str | None = None
    owner: str | None = None
    tag: str | None = None
    kind: str | None = None
    q: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the query, without case; of a very long one the first ones."""
        return tuple((self.q or "").casefold().split()[:MOST_WORDS])


@dataclass(frozen=True, slots=True)
class CatalogMatches:
    """The matching rows, best first, with the rank of each; and the facets."""

    rows: tuple[tuple[int, Row], ...]
    facets: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Index:
    """Every item in service, in the order of ids; replaced as a whole by a change."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    generation: int = 0

    def updated(self, new: Iterable[Row], *, keep: Collection[str], generation: int) -> "Index":
        """Return the index with these rows replaced, and without those not in ``keep``."""
        rows = {key: row for key, row in self.rows.items() if key in keep}
        rows |= {row.id: row for row in new if row.id in keep}
        return Index({key: rows[key] for key in sorted(rows)}, generation)

    @cached_property
    def owners(self) -> frozenset[str]:
        """The teams that own something."""
        return frozenset(row.owner for row in self.rows.values() if row.owner)

    @cached_property
    def stale(self) -> int:
        """How many items are stale."""
        return sum(row.stale for row in self.rows.values())

    @cached_property
    def requested(self) -> int:
        """How many items and bundles there are."""
        return len(self._requestable)

    @cached_property
    def _requestable(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows.values() if row.is_requested)

    def find(self, wanted: CatalogQuery) -> CatalogMatches:
        """Return the matches; the counts of a facet ignore its own filter."""
        found: CatalogMatches | None = self._answers.get(wanted)
        if found is None:
            found = self._answers[wanted] = self._search(wanted)
        return found

    @cached_property
    def _answers(self) -> LRUCache[CatalogQuery, CatalogMatches]:
        # An index never changes, so its answers stay valid.
        return LRUCache(MOST_ANSWERS)

    def _search(self, wanted: CatalogQuery) -> CatalogMatches:
        words, counts = wanted.words, _Counts()
        rows: list[tuple[int, Row]] = []
        for row in self._requestable:
            rank = row.rank(words) if words else 1
            if not rank:
                continue
            failed = _failed_filter(row, wanted)
            counts.add(row, failed)
            if not failed:
                rows.append((rank, row))
        if words:
            rows.sort(key=lambda entry: (-entry[0], entry[1].id))
        return CatalogMatches(tuple(rows), counts.facets())


def _failed_filter(row: Row, wanted: CatalogQuery) -> str:
    """Return the one filter that the row fails; empty for none, a star for several."""
    failed = ""
    if wanted.category and row.category != wanted.category:
        failed = "category"
    if wanted.owner and row.owner != wanted.owner:
        failed = "*" if failed else "owner"
    if wanted.kind and row.kind != wanted.kind:
        failed = "*" if failed else "kind"
    if wanted.tag and wanted.tag not in row.tags:
        failed = "*" if failed else "tag"
    return failed


class _Counts:
    """Counts what a list could be filtered by; a row counts where no other filter refuses it."""

    def __init__(self) -> None:
        self._counters: dict[str, Counter[str]] = {
            name: Counter() for name in ("category", "owner", "kind", "tag")
        }

    def add(self, row: Row, failed: str) -> None:
        """Count a row that matches the words."""
        values = (("category", row.category), ("owner", row.owner), ("kind", row.kind))
        for name, value in values:
            if value and failed in {"", name}:
                self._counters[name][value] += 1
        if failed in {"", "tag"}:
            self._counters["tag"].update(row.tags)

    def facets(self) -> dict[str, dict[str, int]]:
        """Return the counts by name; of tags the most frequent ones."""
        tags = self._counters["tag"].most_common(MOST_TAGS)
        names = ("category", "owner", "kind")
        plain = {name: dict(sorted(self._counters[name].items())) for name in names}
        return {**plain, "tag": dict(tags)}
