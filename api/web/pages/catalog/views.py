"""`/catalog` and `/catalog/ID`: what can be requested."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.catalog.entries import entry_of
from api.catalog.index import CatalogQuery, Row, monthly_cost
from api.catalog.schemas import CatalogEntry
from api.requests.filters import RequestFilters
from api.requests.lifecycle import warnings_of
from api.services import Caller, Services, ServicesDep
from api.web.markdown import words
from api.web.outages import outages_of
from api.web.pages.catalog.steps import steps_of
from api.web.pages.request.presentation import usual_words
from api.web.rendering import is_partial, page
from api.web.words import _, heading, ngettext
from catalog.forms.values import is_email

router = APIRouter()

PER_PAGE = 50
EARLIER = 5
MOST_OWNED = 5
MOST_CHOICES = {"category": 50, "owner": 12, "tag": 12}
"""Of each filter the most frequent values are offered; the search finds the others."""
_UNITS = {
    "s": ("%(n)s second", "%(n)s seconds"),
    "m": ("%(n)s minute", "%(n)s minutes"),
    "h": ("%(n)s hour", "%(n)s hours"),
    "d": ("%(n)s day", "%(n)s days"),
    "w": ("%(n)s week", "%(n)s weeks"),
}
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A row of the list: the API's own entry, and what is shown of it in short."""

    entry: CatalogEntry
    sentence: str
    ready_in: str | None
    cost: str | None
    only_for: str


@dataclass(frozen=True, slots=True)
class CategoryGroup:
    """Items under a heading that links to the category; without a heading, by rank."""

    label: str
    href: str
    items: list[ItemRow]


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """A value of a filter: how many it would leave, and where it leads."""

    label: str
    count: int
    href: str
    chosen: bool


@router.get("/catalog")
async def catalog(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    q: Word = "",
    category: Word = "",
    owner: Word = "",
    tag: Word = "",
    at: Annotated[int, Query(ge=1, le=1_000)] = 1,
) -> Response:
    """Show the items by category, or those that a search finds, best first.

    htmx gets the results alone.
    """
    chosen = {"q": q, "category": category, "owner": owner, "tag": tag}
    index = services.catalog.state.index
    found = index.find(CatalogQuery(**{name: value or None for name, value in chosen.items()}))
    total = len(found.rows)
    # A link to a page that no longer exists leads to the last one.
    at = min(at, max(ceil(total / PER_PAGE), 1))
    start = (at - 1) * PER_PAGE
    matches = [row for _rank, row in found.rows]
    rows = (matches if q.split() else sorted(matches, key=_by_category))[start : start + PER_PAGE]
    more = total > start + PER_PAGE
    return page(
        request,
        f"pages/catalog/{'results' if is_partial(request) else 'catalog'}.html",
        headers={"Vary": "HX-Request-Type"},
        q=q,
        hidden={name: value for name, value in chosen.items() if value and name != "q"},
        total=ngettext("%(n)s service", "%(n)s services", total) % {"n": total},
        groups=_groups(services, caller, rows, chosen),
        with_category=not category,
        filters=_filters(chosen, found.facets),
        filtered=any(chosen.values()),
        before=_address(chosen | {"at": str(at - 1)}) if at > 1 else None,
        after=_address(chosen | {"at": str(at + 1)}) if more else None,
    )


@router.get("/catalog/{item_id}")
async def item(request: Request, services: ServicesDep, caller: Caller, item_id: str) -> Response:
    """Show one item: what it is, what happens, who owns it, what the caller asked for earlier."""
    row, served_item = services.catalog.row(item_id), await services.catalog.served_item(item_id)
    document, definition = served_item.loaded.item, served_item.loaded.definition
    metadata = definition["metadata"]
    display = (definition.get("presentation") or {}).get("display") or {}
    earlier = await services.listing.page(
        caller,
        RequestFilters(catalog_item_id=item_id, user_id=caller.id),
        cursor=None,
        limit=EARLIER,
    )
    steps = steps_of(document, services.submission.settings.traits)
    owner = row.owner or ""
    owned = services.catalog.state.index.find(CatalogQuery(owner=owner)).rows if owner else ()
    return page(
        request,
        "pages/catalog/item.html",
        item=_item(services, caller, row),
        contact=contact_of(metadata),
        owned=[one for _rank, one in owned if one.id != item_id][:MOST_OWNED],
        owns_more=len(owned) > MOST_OWNED + 1,
        cost=monthly_cost(metadata),
        sla=metadata.get("sla") or {},
        documentation=document.presentation.documentation,
        documentation_url=_web_address(display.get("documentationUrl")),
        runbook=_web_address(metadata.get("runbook")),
        sha=served_item.loaded.sha[:8],
        warnings=[*warnings_of(definition), *await outages_of(request, services, document)],
        steps=steps,
        earlier=earlier.data,
        usual=usual_words(await services.history.usual_times(item_id)),
        starred=item_id in await services.stars.list(caller),
        drafts=[one for one in await services.drafts.list(caller) if one.item_id == item_id],
    )


def _by_category(row: Row) -> tuple[str, ...]:
    return row.category.casefold(), row.category, row.name.casefold(), row.id


def _groups(
    services: Services, caller: Caller, rows: Sequence[Row], chosen: dict[str, str]
) -> list[CategoryGroup]:
    """Return the rows by category, unless they are ranked or are all of one."""
    items = [_item(services, caller, row) for row in rows]
    if chosen["q"].split() or chosen["category"]:
        return [CategoryGroup("", "", items)] if items else []
    return [
        CategoryGroup(heading(name), _address(chosen | {"category": name}), list(some))
        for name, some in groupby(items, key=lambda one: one.entry.category)
    ]


def _item(services: Services, caller: Caller, row: Row) -> ItemRow:
    entry = entry_of(services.catalog.state.index, services.access, caller, row)
    only = ", ".join(sorted(row.allowed_teams))
    return ItemRow(
        entry=entry,
        sentence=first_sentence(words(row.description)),
        ready_in=length_in_words(row.provisioning_time),
        cost=row.monthly_cost,
        only_for="" if entry.requestable else only,
    )


def length_in_words(text: str | None) -> str | None:
    """Return a length as people say it: 4h is "4 hours"; what is no length stays as it is."""
    amount, unit = (text or "")[:-1], (text or "")[-1:]
    if not amount.isdecimal() or unit not in _UNITS:
        return text
    number = int(amount)
    return ngettext(*_UNITS[unit], number) % {"n": number}


def first_sentence(text: str) -> str:
    """Return the first sentence of a text."""
    first, dot, _rest = text.partition(". ")
    return first + dot.strip()


def _filters(chosen: dict[str, str], facets: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    titles = {"category": _("Category"), "owner": _("Owner"), "tag": _("Tag")}
    return [
        {"title": title, "choices": choices}
        for name, title in titles.items()
        if (choices := _choices(chosen, name, facets.get(name, {})))
    ]


def _choices(chosen: dict[str, str], name: str, counts: dict[str, int]) -> list[FilterChoice]:
    most_frequent = sorted(counts, key=lambda value: (-counts[value], value.casefold()))
    values = sorted(
        {*most_frequent[: MOST_CHOICES[name]], *filter(None, [chosen[name]])}, key=str.casefold
    )
    return [
        FilterChoice(
            label=heading(value) if name == "category" else value,
            count=counts.get(value, 0),
            href=_address(chosen | {name: "" if value == chosen[name] else value}),
            chosen=value == chosen[name],
        )
        for value in values
    ]


def _address(chosen: dict[str, str]) -> str:
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"/catalog?{query}" if query else "/catalog"


@dataclass(frozen=True, slots=True)
class Contact:
    """How a team is reached: an address of mail or the web becomes a link."""

    text: str
    href: str | None


def contact_of(metadata: dict[str, Any]) -> Contact | None:
    """Return the contact of an item's owner."""
    text = (metadata.get("owner") or {}).get("contact")
    if not isinstance(text, str) or not text:
        return None
    return Contact(text, f"mailto:{text}" if is_email(text) else _web_address(text))


def _web_address(text: Any) -> str | None:
    """Return an address that may become a link: only of the web."""
    return text if isinstance(text, str) and text.startswith(("http://", "https://")) else None
