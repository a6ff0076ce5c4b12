"""``python -m gosales.pipeline.rank_whitespace`` is ``gosales whitespace``."""

from gosales.cli import run_command

if __name__ == "__main__":
    run_command("whitespace")
