"""``python -m gosales.features.build`` is ``gosales features``."""

from gosales.cli import run_command

if __name__ == "__main__":
    run_command("features")
