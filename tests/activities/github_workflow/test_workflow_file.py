"""What is read of a workflow's own file."""

import pytest

from activities.github.workflow_file import WorkflowFile, read_workflow_file


@pytest.mark.parametrize(
    ("run_name", "shown"),
    [
        ("Apply ${{ inputs.pao_mark }}", True),
        ("${{ github.actor }} (${{ format('{0}', inputs['pao_mark']) || 'x' }}", True),
        ("${{ ${{ inputs.pao_mark }}", True),
        ("${{ inputs.pao_mark_2 }}", False),
        ("${{ github.actor }} inputs.pao_mark", False),
        ("inputs.pao_mark", False),
        # Whoever may push to the repository writes this; it must cost no more than its length.
        ("${{" * 150_000, False),
    ],
)
def test_the_mark_is_looked_for_in_the_expressions_of_the_run_name(
    *, run_name: str, shown: bool
) -> None:
    file = WorkflowFile(dispatchable=True, inputs=frozenset({"pao_mark"}), run_name=run_name)
    assert file.shows("pao_mark") is shown
    assert not file.shows("other")


def test_a_file_that_cannot_be_read_is_left_to_github() -> None:
    assert read_workflow_file(b"[" * 100_000) is None
    assert read_workflow_file(b"on: [workflow_dispatch]\nrun-name: [x]\n") == WorkflowFile(
        dispatchable=True
    )
