"""Does what a page says, as a reader would: runs its blocks one after another in one place."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from gosales.cli import main
from tests.docs.pages import NOT_RUN, UNTIL, Block, Page

__all__ = ["ROOT", "Reader"]

ROOT = Path(__file__).parents[2]
PATIENCE = 120
# The same commands with fewer fits: what is tested here is that the page is right.
CHEAP = {
    "GOSALES_MODELING__BOOTSTRAP": "20",
    "GOSALES_MODELING__MODELS": "[logreg]",
    "GOSALES_MODELING__LR_GRID__POOLING": "[pooled]",
    "GOSALES_MODELING__CUTOFFS": "quarterly",
    "GOSALES_MODELING__MAX_CUTOFFS": "1",
    "GOSALES_MODELING__FOLDS": "2",
    "GOSALES_MODELING__SHAP_SAMPLE_ROWS": "5",
    "GOSALES_FEATURES__WINDOWS_MONTHS": "[12]",
    "GOSALES_DATABASE__THREADS": "1",
    "GOSALES_UI__PORT": "0",
}


class Reader:
    """Follows pages in ``place``; ``demo`` stands in for the one command that makes it."""

    def __init__(self, place: Path, demo: Path | None = None) -> None:
        self.place = place
        self._demo = demo
        bin_folder = place.parent / f"{place.name}-bin"
        bin_folder.mkdir(parents=True, exist_ok=True)
        for name, call in {"gosales": "-m gosales ", "python": ""}.items():
            tool = bin_folder / name
            tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" {call}"$@"\n')
            tool.chmod(0o755)
        self._state = bin_folder / "pwd"
        self._environment = os.environ | CHEAP | {
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "BROWSER": "true",
            "PYTHONWARNINGS": "default",
        }  # fmt: skip

    def follow(self, page: Page) -> None:
        said = ""
        for block in page.blocks:
            where = f"{page.name}:{block.line}"
            if block.title.startswith(NOT_RUN):
                continue
            if block.language == "bash":
                said = self._run(block, where)
            elif block.language == "yaml" and block.title.startswith("config.yaml"):
                self._configure(block)
            elif block.language == "text":
                missing = [line for line in block.text.splitlines() if line not in said]
                assert not missing, f"{where}: {missing} is not in:\n{said}"

    def _run(self, block: Block, where: str) -> str:
        if block.title == UNTIL:
            return self._serve(block, where)
        if re.fullmatch(r"gosales demo --customers 250", block.text) and self._demo:
            shutil.copytree(self._demo, self.place / "gosales-demo")
            return ""
        lines = block.text.splitlines()
        if all(re.fullmatch(r"gosales [\w ./:=,-]+", line) for line in lines):
            return "".join(self._call(line, block, where) for line in lines)
        script = f"{block.text}\npwd > '{self._state}'\n"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.place,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
        )
        said = done.stdout.decode(errors="replace")
        assert done.returncode == block.exit_code, f"{where}: {done.returncode}\n{said}"
        if done.returncode == 0:
            self.place = Path(self._state.read_text().strip())
        return said

    def _call(self, line: str, block: Block, where: str) -> str:
        """A plain command, as its shell would start it, but in this process: that is quicker."""
        said, code = io.StringIO(), 0
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.place)
            for name, value in CHEAP.items():
                patch.setenv(name, value)
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    main(shlex.split(line)[1:])
                except SystemExit as end:
                    code = int(end.code or 0)
        assert code == block.exit_code, f"{where}: {line}: {code}\n{said.getvalue()}"
        return said.getvalue()

    def _serve(self, block: Block, where: str) -> str:
        """Start it, load the page that it names, press Ctrl+C."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {block.text}"],
            cwd=self.place,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            said = ""
            until = time.monotonic() + PATIENCE
            while not (found := re.search(r"http://\S+?:\d+/?", said)):
                line = process.stdout.readline().decode()
                assert line and time.monotonic() < until, f"{where}: it ended\n{said}"
                said += line
            with urllib.request.urlopen(found[0], timeout=PATIENCE) as page:
                assert b"<html" in page.read(), where
            os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
        return said

    def _configure(self, block: Block) -> None:
        """Put the block into config.yaml, as its reader does."""
        file = self.place / "config.yaml"
        new = yaml.safe_load(block.text)
        if "all of it" not in block.title and file.exists():
            new = _merged(yaml.safe_load(file.read_text(encoding="utf-8")) or {}, new)
        file.write_text(yaml.safe_dump(new, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _merged(old.get(key), value) for key, value in new.items()}
    return new
