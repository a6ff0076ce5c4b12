"""``python gosales/pipeline/score_all.py`` is ``gosales score``."""

from gosales.cli import run_command

if __name__ == "__main__":
    run_command("score")
