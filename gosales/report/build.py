"""Artifacts to one self-contained HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis

from gosales.errors import UsageError
from gosales.report.pdf import print_pdf
from gosales.settings import Settings
from gosales.ui.drawing import TEMPLATES, environment
from gosales.ui.formats import Formats
from gosales.ui.shelf import Shelf
from gosales.ui.views.data import DataQuality, data_quality
from gosales.ui.views.models import Summary, summaries
from gosales.ui.views.opportunities import Ask, Outcome, opportunities
from gosales.ui.views.overview import Overview, overview
from gosales.ui.views.pairs import pairs
from gosales.workspace import Workspace

__all__ = ["BEST", "Report", "build_report", "write_report"]

BEST = 10
SHARES = (1, 2, 5, 10, 20, 30, 50, 100)
OURS = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Report:
    """What the report says: ``best`` opportunities by division, the largest market first."""

    overview: Overview
    made: Outcome
    customers: int
    shares: list[Outcome]
    curve: list[Outcome]
    best: list[tuple[str, list[dict[str, Any]]]]
    models: list[Summary]
    data: DataQuality

    @property
    def points(self) -> list[tuple[float, float]]:
        return [(one.percent / 100, one.expected_gp) for one in self.curve]


def build_report(shelf: Shelf) -> Report:
    """Raises MissingArtifact, StaleArtifact or IntegrityError when the list, the models or the
    data cannot be relied on: a report is either whole or not made.
    """
    whole = opportunities(shelf, Ask())
    seen = overview(shelf)
    return Report(
        seen,
        whole.made,
        whole.customers,
        [whole.curve[share - 1] for share in SHARES] if whole.curve else [],
        whole.curve,
        _best(shelf, [market.division for market in seen.markets]),
        summaries(shelf),
        data_quality(shelf),
    )


def write_report(
    workspace: Workspace, settings: Settings, out: Path, pdf: bool = False
) -> list[Path]:
    """Write the HTML file, and with ``pdf`` a PDF beside it; returns what was written.

    Raises what ``build_report`` raises, MissingExtraError without the extra 'ui', UsageError
    when a PDF is wanted and there is no browser to print it.
    """
    if out.is_dir():
        raise UsageError(f"{out} is a folder.", "Give the report a file name, as in report.html.")
    drawer = environment(Formats(settings.ui), OURS, TEMPLATES)
    shelf = Shelf(workspace, settings)
    try:
        report = build_report(shelf)
    finally:
        shelf.close()
    from markupsafe import Markup

    style = Markup((OURS / "report.css").read_text(encoding="utf-8"))
    content: str = drawer.get_template("report.html").render(report=report, style=style)
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = out.with_name(f"{out.name}.new")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(out)
    written = [out]
    if pdf:
        written.append(print_pdf(out, out.with_suffix(".pdf")))
    return written


def _best(shelf: Shelf, divisions: list[str]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The first rows of each division in the order of the list."""
    table = pairs(shelf, "no")
    place = ibis.row_number().over(group_by="division", order_by="rank")
    rows = shelf.rows(table.mutate(place=place).filter(lambda t: t.place < BEST).order_by("rank"))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in divisions}
    for row in rows:
        found.setdefault(row["division"], []).append(row)
    return [(name, mine) for name, mine in found.items() if mine]
