"""Mutation tests of one target: the changes of the code that no test notices.

    python -m mutation.run catalog/forms --only checks conditions

What is mutated, and by which tests it is judged, is in targets.toml. What survives must be listed
in survivors.md with its reason; a survivor that is not, or whose reason is still to be given, fails
the run. An entry without a change stands for a whole function, or with ``*`` for all of a class or
module: its reason names the slower test that holds it. ``--update`` adds the new ones to the list,
as "not judged yet". ``--resume`` goes on with the last run's results: it takes over what has
changed since, and judges only the mutants that were not killed.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch, fnmatchcase
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SURVIVORS = HERE / "survivors.md"
SCRATCH = ROOT / ".pao" / "mutation"
KILLED = frozenset({"killed", "timeout", "segfault"})
UNEXPLAINED = "not judged yet"
CHANGE = ": ``"
"""What stands between a mutant's function and its change."""

Survivors = dict[str, str]


def main() -> None:
    """Run one target; the exit code is 1 when a survivor is not explained."""
    arguments = argparse.ArgumentParser(description=__doc__)
    targets = tomllib.loads((HERE / "targets.toml").read_text())
    arguments.add_argument("target", choices=sorted(targets))
    arguments.add_argument("--only", nargs="+", metavar="FILE", help="names without folder and .py")
    arguments.add_argument("--resume", action="store_true", help="go on with the last results")
    arguments.add_argument("--update", action="store_true", help="add new survivors to the list")
    given = arguments.parse_args()
    target = targets[given.target]
    mutated = chosen(target["mutate"], given.only)
    names = {Path(name).stem for name in mutated}
    if unknown := [name for name in given.only or () if name not in names]:
        arguments.error(f"--only: {given.target} has no {', '.join(unknown)}")
    copy = copied(given.target, target, mutated, resume=given.resume)
    again = ["--again"] if given.resume else []
    program = [sys.executable, "-m", "mutation.mutants", *again]
    subprocess.run(program, cwd=copy, check=True)  # noqa: S603 -- our own module
    results = dict(json.loads((copy / "results.json").read_text()))
    # A run that was stopped has not come to all of them.
    left = {key for key, status in results.items() if status == "not checked"}
    results = {key: status for key, status in results.items() if key not in left}
    alive = {key for key, status in results.items() if status not in KILLED}
    listed = read_survivors(given.target)
    new = {key for key in alive if not is_listed(key, listed)}
    explained = {key: why for key, why in listed.items() if not why.startswith(UNEXPLAINED)}
    open_ones = sorted(key for key in alive if not is_listed(key, explained))
    alone = len(alive & explained.keys())
    print(
        f"{given.target}: {len(results)} mutants, {len(results) - len(alive)} killed, "
        f"{len(alive)} survived: {alone} are explained, "
        f"{len(alive) - alone - len(open_ones)} with their function, {len(open_ones)} are not"
    )
    for key in open_ones:
        print(f"  {results[key]}: {key}")
    if given.update:
        kept = {key for key in listed if key in left | alive or not is_in(key, mutated)}
        kept |= {key for key in listed if CHANGE not in key}
        told = {key: listed.get(key, UNEXPLAINED) for key in sorted(kept.union(new))}
        write_survivors(given.target, told)
        return
    sys.exit(1 if open_ones else 0)


def files() -> list[str]:
    """Return the files of the repository, new ones included."""
    found = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607 -- the developer's git
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [name for name in found if (ROOT / name).is_file()]


def chosen(patterns: list[str], only: list[str] | None) -> list[str]:
    """Return the files to be mutated: those of the target, or only some of them."""
    found = [name for name in files() if any(fnmatch(name, pattern) for pattern in patterns)]
    python = [Path(name) for name in found if name.endswith(".py")]
    return [str(path) for path in python if not only or path.stem in only]


def is_in(mutant: str, mutated: list[str]) -> bool:
    """Return whether a mutant is in one of these files; its name begins with its module."""
    modules = (name.removesuffix(".py").replace("/", ".") for name in mutated)
    return any(mutant.startswith(f"{module}.") for module in modules)


def is_listed(mutant: str, listed: Survivors) -> bool:
    """Return whether a survivor is explained: by itself, or with its function, class or module."""
    function = mutant.partition(CHANGE)[0]
    whole = (key for key in listed if CHANGE not in key)
    return mutant in listed or any(fnmatchcase(function, key) for key in whole)


def copied(target: str, given: dict[str, Any], mutated: list[str], *, resume: bool) -> Path:
    """Copy the repository, so that nothing here is touched, with the settings for the target."""
    copy = SCRATCH / target.replace("/", "-")
    if not resume:
        shutil.rmtree(copy, ignore_errors=True)
    listed = files()
    for name in listed:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    pyproject = copy / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + _settings(given, listed, mutated))
    return copy


def _settings(given: dict[str, Any], listed: list[str], mutated: list[str]) -> str:
    """Return the tool's own settings for a target."""
    packages = ["pao", "api", "workflows", "activities", "catalog", "db"]
    folders = {name.split("/")[0] for name in listed if "/" in name}
    deselect = " and ".join(f"not {name}" for name in given.get("deselect", []))
    settings = {
        "source_paths": packages,
        "only_mutate": mutated,
        "also_copy": sorted(folders - set(packages) - {"tests"}),
        "pytest_add_cli_args_test_selection": given["tests"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", *(["-k", deselect] if deselect else [])],
        # The workers are forked from a process that has run no test: threads do not survive a fork.
        "process_isolation": "forkserver",
        # A test's own time does not count the start of what it needs, and the machine may be busy.
        "timeout_constant": 3.0,
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
