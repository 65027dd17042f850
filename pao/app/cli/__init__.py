"""The `pao` command: one module per command group, thin."""

import sys
from types import TracebackType


def _hide_interrupt_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Show no traceback for a Ctrl-C while the command's modules are still being loaded."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _hide_interrupt_traceback
