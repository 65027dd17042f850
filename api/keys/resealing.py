"""Sealing what is stored with the active encryption key, so that an older one can go."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from api.auth.keys import secret_context
from api.drafts.service import draft_context
from db.repositories.access_keys import KEYS
from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.sealed import SealedRepository, SealedRequests
from db.session import Database
from pao.runtime.crypto import SecretBox, SecretUnreadableError


@dataclass(slots=True)
class ResealReport:
    """What was resealed, what could not be read, and which requests still need which old key."""

    active: str
    access_keys: int = 0
    drafts: int = 0
    unreadable: list[str] = field(default_factory=list)
    held: dict[str, SealedRequests] = field(default_factory=dict)


async def reseal(database: Database, box: SecretBox, *, by: str) -> ResealReport:
    """Seal all access keys and drafts with the active key; ``database`` is the owner's.

    Requests are counted only: their workflows hold the same texts until their retention ends. May
    be repeated, and runs alongside the service, which opens both.
    """
    done = ResealReport(box.active)
    await _access_keys(database, box, done)
    await _drafts(database, box, done)
    async with database.unit_of_work() as session:
        for key_id in box.former:
            requests = await SealedRepository(session).requests(box.token_prefix(key_id))
            if requests.open or requests.finished:
                done.held[key_id] = requests
        if done.access_keys or done.drafts:
            entry = AuditEntry(
                event_type="encryption.rotated",
                actor=by,
                via=KEYS,
                source_system=KEYS,
                at=datetime.now(UTC),
                event_data={
                    "active": box.active,
                    "accessKeys": done.access_keys,
                    "drafts": done.drafts,
                },
            )
            await AuditRepository(session).insert(entry)
    return done


async def _access_keys(database: Database, box: SecretBox, done: ResealReport) -> None:
    async with database.reading() as session:
        found = await SealedRepository(session).access_keys()
    for key_id, before in found:
        if box.is_active(before):
            continue
        try:
            sealed = box.reseal(before, context=secret_context(key_id))
        except SecretUnreadableError as error:
            done.unreadable.append(f"access key {key_id}: {error}")
            continue
        async with database.unit_of_work() as session:
            await SealedRepository(session).replace_access_key(key_id, before=before, sealed=sealed)
        done.access_keys += 1


async def _drafts(database: Database, box: SecretBox, done: ResealReport) -> None:
    async with database.reading() as session:
        found = await SealedRepository(session).drafts()
    for draft_id, before in found:
        if all(box.is_active(token) for token in before.values()):
            continue
        try:
            sealed = {
                name: box.reseal(token, context=draft_context(str(draft_id), name))
                for name, token in before.items()
            }
        except SecretUnreadableError as error:
            done.unreadable.append(f"draft {draft_id}: {error}")
            continue
        async with database.unit_of_work() as session:
            await SealedRepository(session).replace_draft(draft_id, before=before, sealed=sealed)
        done.drafts += 1
