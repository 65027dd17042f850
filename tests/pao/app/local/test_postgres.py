import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pao.app.local.ports import free_ports
from pao.app.local.postgres import FOR_TESTS, EmbeddedPostgres, run_sql
from pao.app.local.postgres_files import delete_files
from pao.app.local.processes import LocalError


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "postgres"
    delete_files(tmp_path / "postgres")


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


def test_a_second_start_finds_the_data_of_the_first(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    run_sql(server.start(), "create table kept (word text); insert into kept values ('here');")
    server.stop()

    again = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    try:
        assert run_sql(again.start(), "select word from kept") == "here\n"
    finally:
        again.stop()


def test_stopping_ends_the_process_and_frees_the_port(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    server.start()
    process = server.process
    assert process is not None

    server.stop()

    assert process.exit_code() == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_passwords_are_generated_and_only_ours_to_read(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    address = server.start()
    server.stop()

    kept = state / "passwords.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(set(json.loads(kept.read_text()).values())) == 3
    assert address.passwords.owner not in repr(address)


def test_nobody_gets_in_without_a_password(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    address = server.start()
    try:
        wrong = address.__class__(port, type(address.passwords)("wrong", "wrong", "wrong"))
        with pytest.raises(LocalError, match="password authentication failed"):
            run_sql(wrong, "select 1")
    finally:
        server.stop()


def test_owner_and_service_are_ordinary_roles(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    address = server.start()
    try:
        roles = run_sql(
            address,
            "select rolname, rolsuper, rolcreatedb, rolcreaterole from pg_roles"
            " where rolname like 'pao%' order by 1",
        )
        owner = run_sql(
            address, "select pg_get_userbyid(datdba) from pg_database where datname = 'pao'"
        )
    finally:
        server.stop()
    assert roles == "pao_owner|f|f|f\npao_service|f|f|f\n"
    assert owner == "pao_owner\n"


def test_a_port_in_use_is_said_with_the_servers_own_words(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = EmbeddedPostgres(state, port=taken.getsockname()[1], settings=FOR_TESTS)
        with pytest.raises(LocalError, match="Address already in use"):
            server.start()
    assert server.process is None


def test_a_stale_pid_file_that_names_another_living_process_is_removed(
    state: Path, port: int
) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    data = Path(run_sql(server.start(), "show data_directory").strip())
    server.stop()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n")
    try:
        server.start()
        server.stop()
        assert other.poll() is None
    finally:
        other.communicate(b"\n")


def test_a_server_that_outlived_its_supervisor_is_ended_in_order(state: Path) -> None:
    [old_port, new_port] = free_ports(2)
    orphan = EmbeddedPostgres(state, port=old_port, settings=FOR_TESTS)
    run_sql(orphan.start(), "create table kept (word text); insert into kept values ('here');")
    process = orphan.process
    assert process is not None

    server = EmbeddedPostgres(state, port=new_port, settings=FOR_TESTS)
    try:
        assert run_sql(server.start(), "select word from kept") == "here\n"
        assert process.exit_code() == 0
    finally:
        server.stop()
        orphan.stop()


def test_data_survive_a_server_that_was_killed(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port)
    run_sql(server.start(), "create table kept (word text); insert into kept values ('here');")
    process = server.process
    assert process is not None
    process.send(signal.SIGKILL)
    assert process.wait(10)
    server.stop()

    try:
        assert run_sql(server.start(), "select word from kept") == "here\n"
    finally:
        server.stop()


def test_lost_passwords_are_reported_and_the_data_are_left_alone(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    server.start()
    server.stop()
    kept = (state / "passwords.json").read_text()
    (state / "passwords.json").unlink()

    with pytest.raises(LocalError, match="passwords"):
        server.start()

    (state / "passwords.json").write_text(kept)
    server.start()
    server.stop()


def test_a_state_folder_that_was_removed_by_hand_begins_anew(state: Path, port: int) -> None:
    server = EmbeddedPostgres(state, port=port, settings=FOR_TESTS)
    run_sql(server.start(), "create table kept (word text)")
    server.stop()
    for file in sorted(state.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    state.rmdir()

    address = server.start()
    try:
        assert run_sql(address, "select to_regclass('kept') is null") == "t\n"
    finally:
        server.stop()
