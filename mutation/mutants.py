"""Runs the tool in the copy of the repository that run.py has made; writes results.json there.

The tool reads its settings where it is imported, so this is a process of its own.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import zip_longest
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import libcst
import pytest
from _pytest.config import _prepareconfig
from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation import file_mutation
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.mutators import operator_string
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import change_cwd, walk_mutatable_files
from mutmut.workers import isolation

RESULTS = Path("results.json")
KILLED = frozenset({"killed", "timeout", "segfault"})


class OneSession(PytestRunner):
    """Collects the tests once; the fork of a mutant runs its own of them, the cheapest first."""

    def warm_up(self) -> None:
        """Prepare and collect as ``pytest.main`` does, and stop before the tests."""
        arguments = ["--rootdir=.", "--capture=no", *self._pytest_add_cli_args]
        with change_cwd("mutants"):
            prepared = _prepareconfig([*arguments, *self._pytest_add_cli_args_test_selection])
            prepared._do_configure()  # noqa: SLF001 -- pytest has no public way to stop there
            session = pytest.Session.from_config(prepared)
            prepared.hook.pytest_sessionstart(session=session)
            prepared.hook.pytest_collection(session=session)
        self._session = session

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run the tests until one fails."""
        if mutant_name is None:
            # The run that noted which test calls what has passed already.
            return 0 if tests else super().run_tests(mutant_name=None, tests=tests)
        wanted = set(tests)
        durations, order = state().duration_by_test, config().pytest_add_cli_args_test_selection
        items = sorted(
            (item for item in self._session.items if item.nodeid in wanted),
            key=lambda item: (_place(item.nodeid, order), durations[item.nodeid]),
        )
        with change_cwd("mutants"):
            for item, following in zip_longest(items, items[1:]):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._session.testsfailed:
                    return 1
        return 0 if items else 5


def _place(test: str, order: list[str]) -> int:
    return next((i for i, named in enumerate(order) if test.startswith(named)), len(order))


def main() -> None:
    """Make the mutants of the target and run its tests on each of them."""
    tool = vars(file_mutation)
    tool["mutation_operators"] = [
        (kind, keys_only if operator is operator_string else operator)
        for kind, operator in tool["mutation_operators"]
    ]
    vars(isolation)["PytestRunner"] = OneSession
    if "--again" in sys.argv:
        mutmut._reset_mutant_results(  # noqa: SLF001 -- tests may have been added since
            lambda _, code: status_by_exit_code[code] not in KILLED
        )
    ours, theirs = Pipe()
    keeper = get_context("fork").Process(target=keep_servers, args=(ours, theirs))
    keeper.start()
    # Without this end, recv() meets the end of the pipe when the keeper has died.
    theirs.close()
    os.environ.update([ours.recv()])
    try:
        mutmut._run([], max_children=1)  # noqa: SLF001 -- the command without click around it
    finally:
        ours.send(None)
        keeper.join()
    RESULTS.write_text(json.dumps(list(results())))


def keep_servers(other_end: Connection, pipe: Connection) -> None:
    """Own the servers of the tests until something is sent, or the other end is gone.

    In a process of its own: what it imports must not be there before the mutants are.
    """
    from tests.support.servers import SERVERS, ServerOwner  # noqa: PLC0415 -- not in the tool's process

    other_end.close()
    keeper = ServerOwner()
    pipe.send((SERVERS, f"{keeper.address} {keeper.key}"))
    with suppress(EOFError):
        pipe.recv()
    keeper.close()


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
