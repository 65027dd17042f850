"""`pao audit` on a real database: what it finds, how it ends, what it writes."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from tests.pao.app.cli.scripted import Pao
from tests.support.postgres import Database

LINE = """
    INSERT INTO audit_logs (request_id, event_type, actor, via, source_system)
    VALUES (md5('r')::uuid, 'x', 'dana', 'api', 'api')
"""


def run_as_owner(database: Database, *statements: str) -> None:
    async def run() -> None:
        owner = await asyncpg.connect(database.owner_url)
        try:
            for statement in statements:
                await owner.execute(statement)
        finally:
            await owner.close()

    asyncio.run(run())


@pytest.fixture
def variables(database: Database) -> dict[str, str]:
    run_as_owner(database, LINE, LINE, LINE)
    return {"DATABASE_URL": database.service_url}


def test_a_trail_that_holds_is_verified_against_an_exported_anchor(
    pao: Pao, variables: dict[str, str], database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "anchor.json"
    assert pao("audit", "anchor", "--export", str(file), **variables).exit_code == 0
    run_as_owner(database, LINE)

    result = pao("audit", "verify", "--anchor", str(file), "-o", "json", **variables)

    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["verified"], document["lines"], document["anchors"]) == (True, 4, 1)
    assert json.loads(file.read_text())["format"] == "pao-audit-anchor/1"
    assert "The audit trail is intact" in pao("audit", "verify", **variables).stdout


def test_a_changed_line_ends_with_1_and_is_named(
    pao: Pao, variables: dict[str, str], database: Database
) -> None:
    run_as_owner(
        database,
        "ALTER TABLE audit_logs DISABLE TRIGGER USER",
        "UPDATE audit_logs SET actor = 'eve' WHERE position = 2",
    )

    result = pao("audit", "verify", "-o", "json", **variables)

    assert result.exit_code == 1
    [finding] = json.loads(result.stdout)["findings"]
    assert (finding["kind"], finding["position"]) == ("changed", 2)
    assert "line 2: this line" in pao("audit", "verify", **variables).stdout


def test_a_file_that_is_no_anchor_ends_with_2(
    pao: Pao, variables: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "other.json"
    for content in ("{}", "not json", "[]", "[" * 100_000, '{"id": 1e999}'):
        file.write_text(content)
        result = pao("audit", "verify", "--anchor", str(file), **variables)
        assert result.exit_code == 2
        assert "not an exported anchor" in result.stderr
    assert pao("audit", "verify", "--anchor", str(tmp_path / "none"), **variables).exit_code == 2


def test_a_trail_without_a_line_cannot_be_anchored(pao: Pao, database: Database) -> None:
    result = pao("audit", "anchor", DATABASE_URL=database.service_url)
    assert result.exit_code == 1
    assert "no audit trail yet" in result.stderr


def test_a_database_that_is_away_ends_with_5(pao: Pao) -> None:
    away = "postgresql://pao:x@127.0.0.1:1/pao"
    for arguments in (("verify",), ("anchor",)):
        assert pao("audit", *arguments, DATABASE_URL=away).exit_code == 5


def test_a_log_with_anchors_is_taken_in_place_of_exported_ones(
    pao: Pao, variables: dict[str, str], database: Database, tmp_path: Path
) -> None:
    made = json.loads(pao("audit", "anchor", "-o", "json", **variables).stdout)
    log = tmp_path / "worker.log"
    lines = ({"message": "started"}, {"message": "audit.anchor", "anchor": made})
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert pao("audit", "verify", "--anchor", str(log), **variables).exit_code == 0

    run_as_owner(
        database,
        "ALTER TABLE audit_anchors DISABLE TRIGGER USER",
        "ALTER TABLE audit_anchor_heads DISABLE TRIGGER USER",
        "DELETE FROM audit_anchor_heads",
        "DELETE FROM audit_anchors",
    )
    result = pao("audit", "verify", "--anchor", str(log), **variables)
    assert result.exit_code == 1
    assert "1 finding in" in result.stdout
