"""Runs the tool in the copy of the repository that run.py has made; writes results.json there.

The tool reads its settings where it is imported, so this is a process of its own.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import libcst
from mutmut import __main__ as mutmut
from mutmut.mutation import file_mutation
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.mutators import operator_string
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files

from tests.support.servers import SERVERS, Keeper

RESULTS = Path("results.json")
KILLED = frozenset({"killed", "timeout", "segfault"})


def main() -> None:
    """Make the mutants of the target and run its tests on each of them."""
    tool = vars(file_mutation)
    tool["mutation_operators"] = [
        (kind, keys_only if operator is operator_string else operator)
        for kind, operator in tool["mutation_operators"]
    ]
    keeper = Keeper()
    os.environ[SERVERS] = f"{keeper.address} {keeper.key}"
    try:
        mutmut._run([], max_children=1)  # noqa: SLF001 -- the command without click around it
    finally:
        keeper.close()
    RESULTS.write_text(json.dumps(list(results())))


def keys_only(node: libcst.BaseString) -> Iterable[libcst.BaseString]:
    """Change the strings that are keys, not sentences: tests hold codes, not wording."""
    written = libcst.Module([]).code_for_node(node)
    return [] if " " in written else list(operator_string(node))[:1]


def results() -> Iterator[tuple[str, str]]:
    """Give each mutant and what became of it."""
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            status = status_by_exit_code[code]
            yield (name if status in KILLED else described(name, path), status)


def described(name: str, path: Path) -> str:
    """Name a mutant by its function and its change: its number would move with every edit."""
    diff = get_diff_for_mutant(name, path=path).splitlines()
    changed = [line for line in diff if re.match(r"[-+](?!--|\+\+)", line)]
    function = re.sub(r"__mutmut_\d+$", "", name).replace(".x\u01c1", ".").replace("\u01c1", ".")
    told = " ".join(f"{line[0]} {line[1:].strip()}" for line in changed)
    return f"{function.replace('.x_', '.')}: `` {told} ``"


if __name__ == "__main__":
    main()
