"""Values of query parameters that a type alone does not check."""

from datetime import UTC, datetime

from pao.core.errors import Detail, ErrorCode, PaoError


def aware(name: str, moment: datetime | None) -> datetime | None:
    """Return the moment in UTC; raises a 400 for one without a time zone or out of range."""
    if moment is not None and moment.tzinfo is None:
        raise _bad_query(name, "needs a time zone, such as 2026-01-31T08:00:00Z")
    try:
        return moment and moment.astimezone(UTC)
    except OverflowError as error:
        raise _bad_query(
            name, "is out of range; in UTC it is before year 1 or after 9999"
        ) from error


def storable(name: str, text: str | None) -> str | None:
    """Return the text; raises a 400 for what no stored text can be: Postgres holds no nulls."""
    if text is not None and "\x00" in text:
        raise _bad_query(name, "must not contain a null character")
    return text


def _bad_query(name: str, message: str) -> PaoError:
    return PaoError(
        ErrorCode.VALIDATION_ERROR,
        f"The query parameter {name} {message}.",
        details=(Detail(field=name, constraint="format", message=message),),
        status=400,
    )
