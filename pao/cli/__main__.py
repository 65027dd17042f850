"""`python -m pao.cli` is `pao`."""

from pao.cli.main import main

main()
