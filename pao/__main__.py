"""``python -m pao`` is ``pao``."""

from pao.app.cli.start import main

main()
