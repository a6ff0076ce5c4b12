"""``python -m gosales.pipeline.build_labels`` is ``gosales labels``."""

from gosales.cli import run_command

if __name__ == "__main__":
    run_command("labels")
