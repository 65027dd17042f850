"""Drafts: the content of a form until it is submitted or discarded.

The draft's id is the Idempotency-Key of its submission, so two clicks, two tabs and the browser's
Back give one request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from api.auth.principal import Principal
from db.models import WebDraft
from db.repositories.web_drafts import DraftContent, WebDraftsRepository
from db.session import Database
from pao.core.errors import ErrorCode, PaoError
from pao.runtime.crypto import SecretBox, SecretUnreadableError

MOST_PER_USER = 50
SHOWN = 10
UNSAVED = -1
"""The number of a draft that was never saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A form as it is filled in: texts by field, and the sealed values of passwords and files."""

    id: str
    item_id: str
    item_version: str
    texts: dict[str, list[str]]
    sealed: dict[str, str] = field(repr=False)
    saved: int = UNSAVED
    request_id: str | None = None
    repeats: str | None = None
    """The request that it repeats."""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DraftService:
    """Keeps drafts, each for its own user only."""

    database: Database
    box: SecretBox

    async def get(self, caller: Principal, draft_id: str) -> Draft:
        """Return a draft of the caller, or raise ``NOT_FOUND``."""
        async with self.database.reading() as session:
            row = await WebDraftsRepository(session).get(draft_id, caller.id)
        if row is None:
            raise _not_found()
        return _draft(row)

    async def find(self, caller: Principal, draft_id: str) -> Draft | None:
        """Return a draft of the caller, or None if there is no such draft."""
        async with self.database.reading() as session:
            row = await WebDraftsRepository(session).get(draft_id, caller.id)
        return _draft(row) if row else None

    async def list(self, caller: Principal) -> list[Draft]:
        """Return the caller's drafts that are not submitted, those changed last first."""
        async with self.database.reading() as session:
            rows = await WebDraftsRepository(session).list(caller.id, limit=SHOWN)
        return [_draft(one) for one in rows]

    async def save(
        self,
        caller: Principal,
        new: Draft,
        secrets: Mapping[str, str],
        change: Callable[[Draft], Draft],
    ) -> Draft:
        """Change a draft, or ``new`` where there is none yet; return what is stored.

        ``secrets`` are new values of passwords and files, by field. ``change`` is given the draft
        with them, as others may have saved it meanwhile, and returns it with the number of this
        save; where a newer one is there nothing is changed, nor of what was submitted.
        """
        sealed = {
            name: self.box.seal(value, context=draft_context(new.id, name))
            for name, value in secrets.items()
        }
        async with self.database.unit_of_work() as session:
            repository = WebDraftsRepository(session)
            row = await repository.get_for_update(new.id, caller.id, new.item_id, new=_content(new))
            if row is None:
                raise _not_found()
            draft = _draft(row)
            changed = change(replace(draft, sealed=draft.sealed | sealed))
            if draft.request_id is None and draft.saved < changed.saved:
                await repository.save(draft.id, _content(changed))
                draft = changed
            await repository.keep_newest(caller.id, most=MOST_PER_USER)
        return draft

    async def mark_submitted(self, caller: Principal, draft: Draft, request_id: str) -> None:
        """Record which request a draft has become."""
        async with self.database.unit_of_work() as session:
            await WebDraftsRepository(session).mark_submitted(draft.id, caller.id, request_id)

    async def discard(self, caller: Principal, draft_id: str) -> None:
        """Remove a draft."""
        async with self.database.unit_of_work() as session:
            await WebDraftsRepository(session).discard(draft_id, caller.id)

    def secrets(self, draft: Draft) -> dict[str, str]:
        """Return the values of passwords and files; what can no longer be opened is left out."""
        found: dict[str, str] = {}
        for name, token in draft.sealed.items():
            try:
                found[name] = self.box.open(token, context=draft_context(draft.id, name))
            except SecretUnreadableError:
                continue
        return found


def without(draft: Draft, names: frozenset[str]) -> Draft:
    """Return a draft without the sealed values of some fields."""
    return replace(draft, sealed={k: v for k, v in draft.sealed.items() if k not in names})


def _content(draft: Draft) -> DraftContent:
    return DraftContent(
        texts=draft.texts,
        sealed=draft.sealed,
        item_version=draft.item_version,
        saved=draft.saved,
        repeats=draft.repeats,
    )


def _draft(row: WebDraft) -> Draft:
    return Draft(
        id=str(row.id),
        item_id=row.catalog_item_id,
        item_version=row.item_version,
        texts={name: [str(text) for text in texts] for name, texts in row.texts.items()},
        sealed=dict(row.sealed),
        saved=row.saved,
        request_id=str(row.request_id) if row.request_id else None,
        repeats=str(row.repeats) if row.repeats else None,
        changed_at=row.changed_at,
    )


def draft_context(draft_id: str, name: str) -> str:
    """Return what a sealed value of a draft is bound to."""
    return f"draft:{draft_id}:{name}"


def _not_found() -> PaoError:
    return PaoError(ErrorCode.NOT_FOUND, "There is no such draft.")
