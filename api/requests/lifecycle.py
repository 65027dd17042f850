"""Deprecated items: the warnings of a submission, and when it is refused."""

from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from catalog.model import CatalogDocument
from pao.core.errors import ErrorCode, PaoError


def require_offered(item: CatalogDocument, today: date) -> None:
    """Refuse a withdrawn item, and name its replacement."""
    deprecation = item.deprecation
    sunset = deprecation.sunset_date
    if not deprecation.deprecated or not sunset or sunset > today.isoformat():
        return
    raise PaoError(
        ErrorCode.VALIDATION_ERROR,
        f"{item.name} was withdrawn on {sunset}.{_alternatives(_notice(item.deprecation))}",
    )


def warnings_of(definition: dict[str, Any]) -> list[str]:
    """Return the warnings about an item for its submitter."""
    notice = _notice_of(definition)
    if not notice.get("deprecated"):
        return []
    name = (definition.get("metadata") or {}).get("name") or "This item"
    until = f" and will be withdrawn on {notice['sunsetDate']}" if notice.get("sunsetDate") else ""
    return [f"{name} is deprecated{until}.{_alternatives(notice)}"]


def headers_of(definition: dict[str, Any]) -> dict[str, str]:
    """Return the same as headers: ``Deprecation``, and ``Sunset`` (RFC 8594)."""
    notice = _notice_of(definition)
    if not notice.get("deprecated"):
        return {}
    try:
        day = date.fromisoformat(str(notice.get("sunsetDate")))
    except ValueError:
        return {"Deprecation": "true"}
    moment = datetime.combine(day, time(), tzinfo=UTC)
    return {"Deprecation": "true", "Sunset": format_datetime(moment, usegmt=True)}


def _notice_of(definition: dict[str, Any]) -> dict[str, Any]:
    return (definition.get("lifecycle") or {}).get("deprecation") or {}


def _notice(deprecation: Any) -> dict[str, Any]:
    notice: dict[str, Any] = deprecation.model_dump(by_alias=True, mode="json")
    return notice


def _alternatives(notice: dict[str, Any]) -> str:
    text = f" Use {notice['replacement']}." if notice.get("replacement") else ""
    guide = notice.get("migrationGuide")
    return f"{text} Migration guide: {guide}" if guide else text
