"""Full collections wait while many objects are made that stay, and only for so long."""

import gc
from contextlib import ExitStack

from catalog.validation import validate_files
from pao.runtime.garbage_collection import full_collections_postponed


def test_full_collections_are_postponed_until_the_last_of_the_blocks_ends() -> None:
    before = gc.get_threshold()
    first, second = ExitStack(), ExitStack()

    first.enter_context(full_collections_postponed())
    second.enter_context(full_collections_postponed())
    first.close()
    within = gc.get_threshold()
    second.close()

    assert within[:2] == before[:2]
    assert within[2] > 100 * before[2]
    assert gc.get_threshold() == before


def test_a_folder_is_read_without_full_collections() -> None:
    before, seen = gc.get_threshold(), list[int]()

    def content(_name: str) -> bytes:
        seen.append(gc.get_threshold()[2])
        return b"kind: x"

    validate_files(["a.yaml"], content, {})

    assert seen[0] > before[2]
    assert gc.get_threshold() == before
