"""Database URLs: the two spellings that our two readers of them want."""

from sqlalchemy.engine import URL, make_url

DRIVER = "postgresql+asyncpg"
PLAIN = "postgresql"


def engine_url(url: str) -> URL:
    """Give the URL for SQLAlchemy's asyncpg engine; a libpq ``sslmode`` becomes its ``ssl``."""
    parsed = _parsed(url).set(drivername=DRIVER)
    if "sslmode" not in parsed.query:
        return parsed
    mode = parsed.query["sslmode"]
    return parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def driver_url(url: str) -> str:
    """Give the URL for asyncpg itself, password included."""
    parsed = _parsed(url).set(drivername=PLAIN)
    if "ssl" in parsed.query:
        mode = parsed.query["ssl"]
        parsed = parsed.difference_update_query(["ssl"]).update_query_dict({"sslmode": mode})
    return parsed.render_as_string(hide_password=False)


def _parsed(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername not in {DRIVER, PLAIN, "postgres"}:
        raise ValueError(
            f"a database URL starts with {PLAIN}:// or {DRIVER}://, not {parsed.drivername}://"
        )
    return parsed
