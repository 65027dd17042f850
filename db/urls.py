"""Database URLs: libpq's options, translated for asyncpg. The only place that parses one."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

DRIVER = "postgresql+asyncpg"
PLAIN = "postgresql"
SCHEMES = frozenset({PLAIN, DRIVER, "postgres"})

USUAL_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""The bundles of Debian and Red Hat, for where OpenSSL knows only a folder."""

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SSL_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
SYSTEM = "system"
"""What libpq takes as ``sslrootcert`` for the authorities that the machine trusts."""

CONNECT_TIMEOUT = "connect_timeout"

NOT_SUPPORTED = frozenset(
    {
        "channel_binding",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "require_auth",
        "requirepeer",
        "requiressl",
        "sslcertmode",
        "sslcrldir",
        "sslsni",
        "tcp_user_timeout",
    }
)
"""Options of libpq that the driver does not know, and would send on as server settings."""


def driver_url(url: str) -> str:
    """Return the URL for asyncpg, password included; raises ``ValueError`` for one it cannot use.

    asyncpg reads libpq's TLS options from it by itself; ``ssl`` is SQLAlchemy's ``sslmode``.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(
            f"a database URL starts with {PLAIN}:// or {DRIVER}://, not {parts.scheme}://"
        )
    options = _options(parts)
    options.pop(CONNECT_TIMEOUT, None)
    if "ssl" in options:
        options.setdefault("sslmode", options.pop("ssl"))
    if options.get("sslrootcert") == SYSTEM:
        # As in libpq, these authorities vouch only for a server whose name is checked as well.
        options |= {"sslrootcert": _authorities(), "sslmode": "verify-full"}
    return _written(parts._replace(scheme=PLAIN), options)


def connect_timeout(url: str) -> float | None:
    """Return the seconds that a URL gives to connecting; None where it sets no limit of its own."""
    given = _options(urlsplit(url)).get(CONNECT_TIMEOUT, "")
    return float(given) if given.isdecimal() and int(given) else None


def has_password(url: str) -> bool:
    """Return whether a URL logs in with a password of its own."""
    return bool(urlsplit(url).password)


def named_authorities(url: str) -> bool:
    """Return whether a URL says whom to trust, or that nobody needs to be."""
    options = _options(urlsplit(url))
    checks = options.get("sslmode", options.get("ssl", "")) in {"verify-ca", "verify-full"}
    return bool(options.get("sslrootcert")) or not checks


def url_problem(url: str) -> str | None:
    """Return which of a URL's options is invalid, and why; the text never repeats the URL."""
    options = _options(urlsplit(url))
    unknown = sorted(NOT_SUPPORTED & options.keys())
    if unknown:
        return f"{unknown[0]} is not supported in a database address; leave it out"
    if not options.get(CONNECT_TIMEOUT, "0").isdecimal():
        return f"{CONNECT_TIMEOUT} is a whole number of seconds"
    mode = options.get("sslmode", options.get("ssl"))
    if mode is not None and mode not in SSL_MODES:
        return f"sslmode is one of {', '.join(SSL_MODES)}"
    for name in SSL_FILES:
        file = options.get(name)
        if file and file != SYSTEM and not Path(file).is_file():
            return f"there is no file {file!r} for {name}; correct the path"
    return None


def with_options(url: str, options: Mapping[str, str]) -> str:
    """Return the URL with these options, as far as it does not name them itself."""
    parts = urlsplit(url)
    return _written(parts, {**options, **_options(parts)})


def _authorities() -> str:
    """Return the file of the authorities that the machine trusts."""
    own = ssl.get_default_verify_paths().cafile
    found = [file for file in (own, *USUAL_AUTHORITIES) if file and Path(file).is_file()]
    if not found:
        raise ValueError("this machine has no file of authorities; name one as sslrootcert")
    return found[0]


def _options(parts: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(parts.query, keep_blank_values=True))


def _written(parts: SplitResult, options: Mapping[str, str]) -> str:
    return urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
