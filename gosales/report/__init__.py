"""The report that a RevOps lead can mail: one file, no network, on screen and on paper."""

from __future__ import annotations

from gosales.report.build import build_report, write_report

__all__ = ["build_report", "write_report"]
