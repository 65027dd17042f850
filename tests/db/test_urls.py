"""Database URLs: one reading for the driver, for Postgres' own programs and for what is shown."""

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args

from db.urls import driver_url, libpq_environment, read_login, url_problem

URLS = [
    "postgresql://u:p@h/pao",
    "postgresql://u:p@h:/pao",
    "postgresql://u:p%40ss%2F@h:6543/pao",
    "postgres://db1:5432,db2:5433/pao?user=u&password=p%20q",
    "postgresql://u:p@db1,db2/pao?port=1111,2222&target_session_attrs=primary",
    "postgresql:///pao?host=db1,db2:3&port=1111,2222&user=u&password=p",
    "postgresql:///pao?host=a,b&port=5&user=u&password=p",
    "postgresql:///pao?host=/run/pg&user=u&password=p",
    "postgresql://u:p@%2Frun%2Fpg/pao",
    "postgresql://u:p@h/pao?host=other&user=v&password=w",
    "postgresql+asyncpg://u:p@[::1]:6543/p%C3%A4o",
]


@pytest.mark.parametrize("url", URLS)
def test_a_url_is_read_as_the_driver_reads_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    addresses, params = _as_the_driver(driver_url(url))
    login = read_login(url)
    found = [f"{h}/.s.PGSQL.{p}" if h.startswith("/") else (h, p) for h, p in _places(url)]
    assert found == addresses
    assert (login.user, login.password, login.database) == params


def test_programs_get_every_host_and_what_the_url_says_of_connecting() -> None:
    url = "postgresql://u:p@db1:1,db2:2/pao?target_session_attrs=primary&connect_timeout=3&ssl=require"
    assert libpq_environment(url) == {
        "PGHOST": "db1,db2",
        "PGPORT": "1,2",
        "PGUSER": "u",
        "PGPASSWORD": "p",
        "PGDATABASE": "pao",
        "PGTARGETSESSIONATTRS": "primary",
        "PGCONNECT_TIMEOUT": "3",
        "PGSSLMODE": "require",
    }


def test_the_port_of_the_environment_counts_where_a_url_names_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGPORT", "6000")
    addresses, _ = _as_the_driver("postgresql://u:p@h,[::1]:7/pao")
    assert _places("postgresql://u:p@h,[::1]:7/pao") == addresses == [("h", 6000), ("::1", 7)]


def test_programs_check_the_server_as_the_service_does() -> None:
    both = libpq_environment("postgresql://h/d?sslmode=verify-full&ssl=disable")
    assert both["PGSSLMODE"] == "verify-full"
    system = libpq_environment("postgresql://h/d?sslrootcert=system&sslmode=require")
    assert system["PGSSLMODE"] == "verify-full"


def test_programs_find_by_themselves_what_the_url_leaves_open() -> None:
    assert libpq_environment("postgresql:///pao") == {"PGDATABASE": "pao"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h:99999/pao",
        "postgresql://u:p@h:0/pao",
        "postgresql://u:p@h:abc/pao",
        "postgresql://u:p@h1:5432,h2:99999/pao",
        "postgresql://u:p@h:٣/pao",
        "postgresql://u:p@/pao?host=h&port=1,2",
        "postgresql://u:p@[::1/pao",
        "postgresql://u:p\N{ACCOUNT OF}p@h/pao",
    ],
)
def test_a_url_that_leads_nowhere_is_named_without_its_password(url: str) -> None:
    problem = url_problem(url)
    assert problem
    assert "p@" not in problem
    assert "\N{ACCOUNT OF}" not in problem


def test_a_file_with_a_name_too_long_is_a_file_that_is_missing() -> None:
    problem = url_problem(f"postgresql://h/d?sslrootcert=/{'a' * 300}")
    assert problem is not None
    assert problem.startswith("there is no file")


def _places(url: str) -> list[tuple[str, int]]:
    login = read_login(url)
    return list(zip(login.hosts, login.ports, strict=True))


def _as_the_driver(url: str) -> tuple[list[object], tuple[str, str, str]]:
    addresses, params, *_ = _parse_connect_dsn_and_args(
        dsn=url,
        host=None,
        port=None,
        user=None,
        password=None,
        passfile=None,
        database=None,
        ssl=None,
        service=None,
        servicefile=None,
        direct_tls=None,
        server_settings=None,
        target_session_attrs=None,
        krbsrvname=None,
        gsslib=None,
    )
    return list(addresses), (params.user, params.password, params.database)
