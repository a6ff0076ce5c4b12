"""``python -m gosales`` is ``gosales``."""

from gosales.cli import main

main()
