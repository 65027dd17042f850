"""Database URLs: libpq's options, translated for asyncpg. The only place that parses one."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlunsplit

from pao.core.answers import whole_number
from pao.core.urls import read_port, split_url
from pao.runtime.files import is_file

DRIVER = "postgresql+asyncpg"
PLAIN = "postgresql"
SCHEMES = frozenset({PLAIN, DRIVER, "postgres"})

DEFAULT_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""The bundles of Debian and Red Hat, for where OpenSSL knows only a folder."""

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SSL_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
SYSTEM = "system"
"""What libpq takes as ``sslrootcert`` for the authorities that the machine trusts."""

CONNECT_TIMEOUT = "connect_timeout"

DEFAULT_PORT = 5432

_LIBPQ_VARIABLES = {
    CONNECT_TIMEOUT: "PGCONNECT_TIMEOUT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    # As for the driver, sslmode counts where both are given.
    "ssl": "PGSSLMODE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "passfile": "PGPASSFILE",
}

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


@dataclass(frozen=True, slots=True)
class Login:
    """Where a URL leads, and as whom, as asyncpg reads it: the query fills in what is missing.

    ``hosts`` are names, addresses or folders of sockets, tried in turn, each with its port of
    ``ports``; empty where the environment or the machine's defaults decide.
    """

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    user: str
    password: str
    database: str


def read_login(url: str) -> Login:
    """Return where a URL leads; raises ``ValueError``, which never repeats the URL."""
    parts = split_url(url)
    options = _options(parts)
    login, _, places = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    hosts = tuple(_host(one) for one in (places or options.get("host", "")).split(",") if one)
    listed = "" if places else options.get("port", "")
    ports = tuple(read_port(one) for one in listed.split(",") if one)
    if len(ports) not in {0, 1, len(hosts)}:
        raise ValueError("port must be one number, or one for each host")
    if len(ports) == 1:
        ports *= len(hosts)
    return Login(
        hosts=tuple(host for host, _ in hosts),
        ports=ports or tuple(own or _default_port() for _, own in hosts),
        user=unquote(user) or options.get("user", ""),
        password=unquote(password) or options.get("password", ""),
        database=unquote(parts.path.removeprefix("/"))
        or options.get("dbname", options.get("database", "")),
    )


def libpq_environment(url: str) -> dict[str, str]:
    """Return the variables by which Postgres' own programs reach the same database.

    What the URL does not set is left to the process's environment.
    """
    login, options = read_login(url), _options(split_url(url))
    variables = {
        "PGHOST": ",".join(login.hosts),
        "PGPORT": ",".join(str(port) for port in login.ports),
        "PGUSER": login.user,
        "PGPASSWORD": login.password,
        "PGDATABASE": login.database,
    }
    variables |= {
        variable: options[name] for name, variable in _LIBPQ_VARIABLES.items() if name in options
    }
    if options.get("sslrootcert") == SYSTEM:
        variables["PGSSLMODE"] = "verify-full"
    return {name: value for name, value in variables.items() if value}


def driver_url(url: str) -> str:
    """Return the URL for asyncpg, password included; raises ``ValueError`` for one it cannot use.

    asyncpg reads libpq's TLS options from it itself; ``ssl`` is SQLAlchemy's ``sslmode``.
    """
    parts = split_url(url)
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
        options |= {"sslrootcert": _authority_file(), "sslmode": "verify-full"}
    return _with_query(parts._replace(scheme=PLAIN), options)


def connect_timeout(url: str) -> float | None:
    """Return the URL's limit for connecting, in seconds; None if it sets none."""
    seconds = whole_number(_options(split_url(url)).get(CONNECT_TIMEOUT, ""))
    return float(seconds) if seconds else None


def has_password(url: str) -> bool:
    """Return whether a URL contains a password."""
    return bool(read_login(url).password)


def names_authorities(url: str) -> bool:
    """Return whether a URL names authorities, or does not verify certificates."""
    options = _options(split_url(url))
    checks = options.get("sslmode", options.get("ssl", "")) in {"verify-ca", "verify-full"}
    return bool(options.get("sslrootcert")) or not checks


def url_problem(url: str) -> str | None:
    """Return what is invalid in a URL, and why; the text never repeats the URL."""
    try:
        read_login(url)
    except ValueError as error:
        return str(error)
    options = _options(split_url(url))
    unknown = sorted(NOT_SUPPORTED & options.keys())
    if unknown:
        return f"{unknown[0]} is not supported in a database address; leave it out"
    if whole_number(options.get(CONNECT_TIMEOUT, "0")) is None:
        return f"{CONNECT_TIMEOUT} is a whole number of seconds"
    mode = options.get("sslmode", options.get("ssl"))
    if mode is not None and mode not in SSL_MODES:
        return f"sslmode is one of {', '.join(SSL_MODES)}"
    for name in SSL_FILES:
        file = options.get(name)
        if file and file != SYSTEM and not is_file(file):
            return f"there is no file {file!r} for {name}; correct the path"
    return None


def with_options(url: str, options: Mapping[str, str]) -> str:
    """Return the URL with these options, unless it sets them itself."""
    parts = split_url(url)
    return _with_query(parts, {**options, **_options(parts)})


def _authority_file() -> str:
    """Return the file of the authorities that the machine trusts."""
    own = ssl.get_default_verify_paths().cafile
    files = [file for file in (own, *DEFAULT_AUTHORITIES) if file and is_file(file)]
    if not files:
        raise ValueError("this machine has no file of certificate authorities; set sslrootcert")
    return files[0]


def _host(place: str) -> tuple[str, int | None]:
    """Return a host of a list, and the port that it names itself."""
    if place.startswith("/"):
        return place, None
    host, separator, port = place.rpartition(":")
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        if not bracket or port[:1] not in {"", ":"}:
            raise ValueError("an address in brackets must be closed, and only a port may follow")
        separator, port = port[:1], port[1:]
    elif not separator:
        host, port = place, ""
    return unquote(host), read_port(unquote(port)) if separator and port else None


def _default_port() -> int:
    """Return the port that the driver and Postgres' own programs use where a URL names none."""
    port = os.environ.get("PGPORT", "")
    return read_port(port) if port else DEFAULT_PORT


def _options(parts: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(parts.query, keep_blank_values=True))


def _with_query(parts: SplitResult, options: Mapping[str, str]) -> str:
    return urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
