"""``python -m pao`` is ``pao``."""

from pao.app.cli.main import main

main()
