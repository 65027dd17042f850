"""What `make` compiles when it installs: a first start that compiles takes twice as long."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
LOADED = """
import sys
import pao.app.cli.main, pao.app.worker, api.app, sandbox.jira.app
for module in list(sys.modules.values()):
    print(getattr(module, "__file__", None) or "")
"""


def recipe() -> list[list[str]]:
    """Return the commands by which make installs the environment, where there is none."""
    asked = ["make", "--no-print-directory", "--dry-run", "--always-make", ".venv/.ready"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- our own file
    lines = re.sub(r"\\\n", " ", told).splitlines()
    return [shlex.split(line) for line in lines if line.startswith(".venv/")]


def test_dependencies_are_compiled() -> None:
    [synced] = [words for words in recipe() if words[1:3] == ["pip", "sync"]]
    assert "--compile-bytecode" in synced


def test_every_module_that_a_process_loads_is_compiled(tmp_path: Path) -> None:
    told = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    ours = {Path(line) for line in told.splitlines() if line.startswith(f"{ROOT}/")}
    loaded = {file for file in ours if ".venv" not in file.parts and file.suffix == ".py"}
    assert len(loaded) > 300
    # Empty files in their places: which ones are compiled is asked, not what is in them.
    copies = [tmp_path / file.relative_to(ROOT) for file in loaded]
    for copy in copies:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()

    [compiled] = [words for words in recipe() if "compileall" in words]
    arguments = [sys.executable, *compiled[1:]]
    subprocess.run(arguments, cwd=tmp_path, check=True)  # noqa: S603 -- our own recipe

    tag = sys.implementation.cache_tag
    missing = [
        copy
        for copy in copies
        if not (copy.parent / "__pycache__" / f"{copy.stem}.{tag}.pyc").exists()
    ]
    assert missing == []
