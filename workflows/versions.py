"""Changes of behaviour that must reach requests which are under way, too."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.runs import is_reset


class FromNextSignal:
    """A change that takes effect with the first signal that no earlier version has handled.

    ``workflow.patched`` answers once and for all: a run whose history holds one signal of old would
    go by the old rules for the rest of its life, which may be weeks. Here the question is asked
    anew for each signal, under the signal's number, until the answer is yes: one marker per run.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._handled = 0
        self._on = False

    def reached(self) -> bool:
        """Return whether the new rules hold for the current signal; called once per signal."""
        if not self._on:
            self._handled += 1
            self._on = workflow.patched(f"{self._name}-{self._handled}")
        return self._on


class SignalsPlayedAgain:
    """Whether the signal in hand may be one that a reset plays again.

    True from the first signal on that the reset run itself takes; those before the reset point
    are replayed as the run before has taken them. The answer is kept in history by one marker, and
    a run that is no reset leaves none.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._handled = 0
        self._on = False

    def reached(self) -> bool:
        """Return whether it may be played again; called once per signal."""
        self._handled += 1
        # A replay asks history alone: the id of the run that is replayed may not be its own.
        if not self._on and (is_reset() or workflow.unsafe.is_replaying()):
            self._on = workflow.patched(f"{self._name}-{self._handled}")
        return self._on
