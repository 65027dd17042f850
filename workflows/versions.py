"""Changes of behavior that must also reach running requests."""

from temporalio import workflow

from workflows.runs import is_reset


class FromNextSignal:
    """A change that takes effect with the first signal that no earlier version has handled.

    ``workflow.patched`` answers once per run: a run whose history holds one old signal would follow
    the old rules for the rest of its life, which may be weeks. Here each signal asks again, under
    its own number, until the answer is yes: one marker per run. The caller may
    count other occasions than signals, if their order is the same in every replay.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._handled = 0
        self._is_active = False

    def reached(self) -> bool:
        """Return whether the new rules hold for the current signal; called once for each."""
        if not self._is_active:
            self._handled += 1
            self._is_active = workflow.patched(f"{self._name}-{self._handled}")
        return self._is_active


class ReplayedSignals:
    """Whether the current signal may be one that a reset replays.

    True from the first signal that the reset run itself handles; those before the reset point are
    replayed as the previous run handled them. The answer is kept in history by one marker, and a
    run that is not a reset leaves none.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._handled = 0
        self._is_active = False

    def reached(self) -> bool:
        """Return whether the signal may be a replayed one; called once per signal."""
        self._handled += 1
        # During a replay only history counts: the run id may be another run's.
        if not self._is_active and (is_reset() or workflow.unsafe.is_replaying()):
            self._is_active = workflow.patched(f"{self._name}-{self._handled}")
        return self._is_active
