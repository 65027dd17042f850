"""Whatever is typed, piped or closed: an exit code and one sentence, never a traceback."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog.forms import Form
from pao.app.cli.exits import CliError
from pao.app.cli.field_files import read_config
from pao.app.cli.fields import parse_assignments
from tests.support.forked_processes import run_pao

ITEM = Path(__file__).parents[4] / "examples" / "catalog" / "network" / "network-dns-record.yaml"
RENDER = ("catalog", "render", str(ITEM))

FILES: dict[str, bytes] = {
    "nan.yaml": b"size: .nan\n",
    "inf.yaml": b"size: -.inf\n",
    "deep.yaml": b"a: " + b"[" * 3000,
    "deep-map.yaml": b"{a: " * 3000,
    "binary.yaml": b"\xff\xfe\x00\x01",
    "null.yaml": b"a: \x00\n",
    "tagged.yaml": b"a: !!python/object:os.system x\n",
    "self.yaml": b"a: &a [*a]\n",
    "laughs.yaml": b"b0: &b0 [x,x,x,x,x,x,x,x]\n"
    + b"".join(b"b%d: &b%d [%s]\n" % (n, n, b"*b%d," % (n - 1) * 9) for n in range(1, 9)),
    "twice.yaml": b"a: 1\na: 2\n",
    "two.yaml": b"a: 1\n---\nb: 2\n",
    "list.yaml": b"- a\n",
    "text.yaml": b"just text",
    "empty.yaml": b"",
    "open.yaml": b'a: "',
    "number-key.yaml": b"{[a]: 1}\n",
    "surrogate.json": b'{"a": "\\ud800"}',
    "nan.json": b'{"a": NaN}',
    "deep.json": b'{"a": ' + b"[" * 3000,
    "twice.json": b'{"a": 1, "a": 2}',
    "list.json": b"[1]",
    "cut.json": b'{"a": ',
    "digits.json": b'{"a": ' + b"9" * 5000 + b"}",
    "large.yaml": b"a: " + b"x" * 1_100_000,
}


def run(
    *arguments: str | bytes,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: bytes = b"",
) -> str:
    """Run `pao` as a process of its own; returns what it said on standard error."""
    variables = {**os.environ, "NO_COLOR": "1", **(environ or {})}
    done = run_pao(*arguments, environ=variables, folder=folder, stdin=stdin)
    said: str = done.stderr.decode(errors="replace")
    assert "Traceback" not in said
    assert done.returncode in range(6), (done.returncode, said)
    return said


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_fields_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(FILES[name])
    with pytest.raises(CliError) as caught:
        read_config(file)
    assert caught.value.exit_code == 2
    assert str(file) in caught.value.message


def test_an_endless_file_is_read_no_further_than_a_document_may_be() -> None:
    with pytest.raises(CliError, match="at most"):
        read_config(Path("/dev/zero"))
    assert "JIRA_INSTANCES: zero:1:1: the document has" in run(
        "config", "check", environ={"JIRA_INSTANCES": "/dev/zero"}
    )


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / ("x" * 300)):
        with pytest.raises(CliError, match="cannot be read"):
            read_config(path)


def test_fields_are_read_as_the_catalog_reads_yaml(tmp_path: Path) -> None:
    file = tmp_path / "fields.yaml"
    file.write_text("day: 2026-01-31\nanswer: no\ntime: 12:30:00\nsize: 0o17\nratio: 1.5\n")
    assert read_config(file) == {
        "day": "2026-01-31",
        "answer": "no",
        "time": "12:30:00",
        "size": 15,
        "ratio": 1.5,
    }


def form_of(*fields: dict[str, Any]) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields)}]})


def test_a_field_that_is_given_twice_is_refused() -> None:
    form = form_of({"id": "a", "type": "string"}, {"id": "tags", "type": "multiselect"})
    assert parse_assignments(["tags=x,y", "tags=z"], form) == {"tags": ["x", "y", "z"]}
    with pytest.raises(CliError) as caught:
        parse_assignments(["a=x", "a=z", "a=z", "unknown=1", "unknown=1"], form)
    assert [detail.partition(":")[0] for detail in caught.value.details] == ["a", "unknown"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "nan"),
        ("number", "-inf"),
        ("number", "1e999"),
        ("number", "9" * 5000),
        ("integer", "nan"),
        ("integer", "9" * 5000),
        ("json", "NaN"),
        ("json", "[" * 3000),
        ("json", '{"a": Infinity}'),
        ("json", "9" * 5000),
        ("json", '{"a": "\\ud800"}'),
        ("multiselect", "[" * 3000),
        ("file", "@/"),
        ("file", "@/dev/zero"),
        ("file", "@~nobody-of-this-name/x"),
        ("file", "a\0b"),
        ("boolean", "maybe"),
    ],
)
def test_a_value_that_no_json_can_hold_is_refused(kind: str, text: str) -> None:
    with pytest.raises(CliError) as caught:
        parse_assignments([f"a={text}"], form_of({"id": "a", "type": kind}))
    assert caught.value.exit_code == 2
    assert len(caught.value.details[0]) < 300


def test_an_argument_that_is_no_text_is_refused() -> None:
    assert run(*RENDER, "--field", b"a=\xff").strip() == (
        "Error: argument 5 is not valid UTF-8; write it in UTF-8"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("catalog", "render", "x" * 300 + ".yaml"),
        ("catalog", "validate", "/dev/null"),
        ("catalog", "validate", "/proc/self/mem"),
        ("catalog", "preview", "/"),
        ("catalog", "test", "/dev/null"),
        ("catalog", "list", "--timeout", "nan"),
        ("catalog", "list", "--timeout", "inf"),
        ("catalog", "list", "--endpoint", "http://["),
        ("catalog", "list", "--endpoint", "http://127.0.0.1:99999"),
        ("request", "get", "../.."),
        ("request", "list", "--profile", "\x1b[31m"),
        ("config", "check", "--for", "\U0001f600"),
        ("jira-sandbox", "--host", "999.1.1.1", "--port", "0"),
        ("jira-sandbox", "--state", "/dev/null", "--port", "0"),
        ("github-sandbox", "--state", "/proc/nowhere", "--port", "0"),
        ("up", "--home", "/dev/null"),
        ("up", "--home", "/proc/nowhere"),
    ],
)
def test_whatever_is_asked_for_is_answered_by_a_sentence(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    keys = {"PAO_ACCESS_KEY_ID": "a", "PAO_SECRET_ACCESS_KEY": "b", "PAO_URL": "http://127.0.0.1:9"}
    assert run(*arguments, environ=keys, folder=tmp_path).strip()


@pytest.mark.parametrize("home", ["", "/nonexistent/home", "/dev/null", "/proc/1/root"])
def test_no_usable_home_folder_is_no_obstacle(home: str) -> None:
    # A start of Python: what is imported may look for the folder, too.
    done = subprocess.run(
        [sys.executable, "-m", "pao", "actions", "list"],
        env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": ""},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "| true"])
def test_closed_streams_are_no_obstacle(redirection: str) -> None:
    command = f'"$0" -m pao actions list -o json {redirection}'
    done = subprocess.run(  # noqa: S603 -- a shell of ours, to close a stream as people do
        ["/bin/sh", "-c", command, sys.executable], capture_output=True, check=False, timeout=120
    )
    assert done.stderr == b""
    assert done.returncode == 0


def test_a_full_disk_behind_the_output_is_told() -> None:
    command = '"$0" -m pao actions list -o json > /dev/full'
    done = subprocess.run(  # noqa: S603 -- as above
        ["/bin/sh", "-c", command, sys.executable], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr == b"Error: No space left on device\n"
