"""HTML to PDF by a browser that is there already."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from gosales.errors import UsageError

__all__ = ["BROWSERS", "find_browser", "print_pdf"]

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "microsoft-edge",
)  # fmt: skip
PATIENCE = 120


def find_browser() -> str | None:
    """The first Chromium or its kin on the PATH."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_pdf(page: Path, target: Path) -> Path:
    """Raises UsageError when there is no browser, or when it prints nothing."""
    browser = find_browser()
    if browser is None:
        raise UsageError(
            "--pdf needs Chromium or Chrome, and none is on the PATH.",
            f"Install one, or open {page} in any browser and print it. The HTML file is written.",
        )
    with tempfile.TemporaryDirectory(prefix="gosales-pdf-") as folder:
        fresh = Path(folder) / "report.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            "--disable-background-networking",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={fresh}",
            page.resolve().as_uri(),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium does not start for root with it
        try:
            ended = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
            told = ended.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        except (OSError, subprocess.TimeoutExpired) as error:
            told = [str(error)]
        if not fresh.is_file():
            raise UsageError(
                f"{browser} printed no PDF: {' '.join(told) or 'it said nothing'}.",
                f"Open {page} in a browser and print it there.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(fresh, target)
    return target
