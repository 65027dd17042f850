"""``python -m pao`` is ``pao``."""

from pao.app.cli.entry_point import main

main()
