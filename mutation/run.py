"""Mutation tests of one target: the changes of the code that no test notices.

    python -m mutation.run catalog/forms

What is mutated, and by which tests it is judged, is in targets.toml. What survives must be listed
in survivors.md with its reason; a survivor that is not listed fails the run. ``--update`` adds the
new ones to the list, with the reason still to be given.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SURVIVORS = HERE / "survivors.md"
SCRATCH = ROOT / ".pao" / "mutation"
KILLED = frozenset({"killed", "timeout", "segfault"})
UNEXPLAINED = "not judged yet"

Survivors = dict[str, str]


def main() -> None:
    """Run one target; the exit code is 1 when a survivor is not explained."""
    arguments = argparse.ArgumentParser(description=__doc__)
    targets = tomllib.loads((HERE / "targets.toml").read_text())
    arguments.add_argument("target", choices=sorted(targets))
    arguments.add_argument("--update", action="store_true", help="add new survivors to the list")
    given = arguments.parse_args()
    copy = copied(given.target, targets[given.target])
    subprocess.run([sys.executable, "-m", "mutation.mutants"], cwd=copy, check=True)
    results = dict(json.loads((copy / "results.json").read_text()))
    # A run that was stopped has not come to all of them.
    results = {key: status for key, status in results.items() if status != "not checked"}
    alive = {key for key, status in results.items() if status not in KILLED}
    listed = read_survivors(given.target)
    new = sorted(alive - listed.keys())
    print(
        f"{given.target}: {len(results)} mutants, {len(results) - len(alive)} killed, "
        f"{len(alive)} survived, {len(new)} of them not listed"
    )
    for key in new:
        print(f"  {results[key]}: {key}")
    if given.update:
        write_survivors(given.target, {key: listed.get(key, UNEXPLAINED) for key in sorted(alive)})
        return
    sys.exit(1 if new else 0)


def copied(target: str, given: dict[str, Any]) -> Path:
    """Copy the repository, so that nothing here is touched, with the settings for the target."""
    copy = SCRATCH / target.replace("/", "-")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607 -- the developer's git
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    shutil.rmtree(copy, ignore_errors=True)
    for name in listed:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    pyproject = copy / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + _settings(given, listed))
    return copy


def _settings(given: dict[str, Any], listed: list[str]) -> str:
    """Return the tool's own settings for a target."""
    packages = ["pao", "api", "workflows", "activities", "catalog", "db"]
    folders = {name.split("/")[0] for name in listed if "/" in name}
    deselect = " and ".join(f"not {name}" for name in given.get("deselect", []))
    settings = {
        "source_paths": packages,
        "only_mutate": given["mutate"],
        "also_copy": sorted(folders - set(packages) - {"tests"}),
        "pytest_add_cli_args_test_selection": given["tests"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", *(["-k", deselect] if deselect else [])],
        # The workers are forked from a process that has run no test: threads do not survive a fork.
        "process_isolation": "forkserver",
        "use_git_change_detection": False,
        "track_dependencies": False,
    }
    lines = (f"{name} = {json.dumps(value)}" for name, value in settings.items())
    return "\n".join(["", "[tool.mutmut]", *lines, ""])


def read_survivors(target: str) -> Survivors:
    """Return the listed survivors of a target with their reasons."""
    text = SURVIVORS.read_text() if SURVIVORS.exists() else ""
    _, _, rest = text.partition(f"## {target}\n")
    section = rest.partition("\n## ")[0]
    entries = (line[2:].rpartition(" -- ") for line in section.splitlines() if line[:2] == "- ")
    return {key: reason for key, _, reason in entries}


def write_survivors(target: str, survivors: Survivors) -> None:
    """Write the survivors of a target into the list, in the place of what was there."""
    text = SURVIVORS.read_text() if SURVIVORS.exists() else "# Survivors\n"
    before, _, rest = text.partition(f"\n## {target}\n")
    after = rest.partition("\n## ")
    lines = "".join(f"- {key} -- {reason}\n" for key, reason in survivors.items())
    tail = f"\n## {after[2]}" if after[1] else ""
    SURVIVORS.write_text(f"{before.rstrip()}\n\n## {target}\n\n{lines}{tail}")


if __name__ == "__main__":
    main()
