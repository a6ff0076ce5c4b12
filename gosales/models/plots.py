"""Pictures of a division's figures: gains, calibration, lift by cutoff, strongest features.

Drawn from the same tables as the CSV and JSON artifacts, as PNG and SVG, with matplotlib (extra
``plots``). The bytes depend on the tables alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from threading import Lock
from typing import Any

__all__ = ["KINDS", "PLOTS", "available", "draw"]

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#767676"  # told apart by colour-blind readers too
# Each kind of file, and what is kept out of it so that its bytes depend on the tables alone.
KINDS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}
PLOTS = ("gains", "calibration", "lift_by_cutoff", "top_features")
TOP_FEATURES = 15
_DRAWING = Lock()
Rows = list[dict[str, Any]]
Maker = Callable[[Any, Rows], None]


def available() -> bool:
    """Whether the extra ``plots`` is installed."""
    return find_spec("matplotlib") is not None


def draw(
    division: str, metrics: dict[str, Any], tables: dict[str, list[dict[str, Any]]]
) -> dict[str, bytes]:
    """File name endings (``gains.png``) and their content.

    ``tables`` holds the rows of ``gains``, ``calibration`` and ``shap_global``. What has no
    rows is not drawn.
    """
    import matplotlib

    makers: dict[str, tuple[Maker, Rows]] = {
        "gains": (partial(_gains, metrics=metrics), tables["gains"]),
        "calibration": (partial(_calibration, metrics=metrics), tables["calibration"]),
        "lift_by_cutoff": (_lifts, metrics["aggregates"]["by_cutoff"]),
        "top_features": (_features, tables["shap_global"]),
    }
    found = {}
    # Fonts are looked up in one shared list: one division draws at a time.
    steady = {"svg.hashsalt": division, "svg.fonttype": "none", "font.family": "DejaVu Sans"}
    with _DRAWING, matplotlib.rc_context(steady):
        for name, (make, rows) in makers.items():
            if not rows:
                continue
            title = f"{division}: {name.replace('_', ' ')}"
            for kind, content in _figure(title, make, rows).items():
                found[f"{name}.{kind}"] = content
    return found


def _figure(title: str, make: Maker, rows: Rows) -> dict[str, bytes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.16, top=0.92)
    make(axes, rows)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    found = {}
    for kind, metadata in KINDS.items():
        content = io.BytesIO()
        figure.savefig(content, format=kind, dpi=120, metadata=metadata)
        found[kind] = content.getvalue()
    return found


def _gains(axes: Any, rows: Rows, metrics: dict[str, Any]) -> None:
    """What share of the buyers the best tenths hold, beside a random order."""
    bought = [row["bought_in_division_mean"] * row["count"] for row in rows]
    total, held, shares = sum(bought), 0.0, [0.0]
    for value in bought:
        held += value
        shares.append(100 * held / total if total else 0.0)
    reach = [0.0]
    for row in rows:
        reach.append(reach[-1] + row["count"])
    at = [100 * value / reach[-1] for value in reach]
    axes.plot(at, shares, color=BLUE, marker="o", label="model, out of time")
    axes.plot([0, 100], [0, 100], color=GREY, linestyle="--", label="random order")
    axes.set_xlabel("customers contacted, best first (%)")
    axes.set_ylabel("buyers reached (%)")
    axes.legend(loc="lower right", title=f"AUC {metrics['auc']:.3f}")


def _calibration(axes: Any, rows: Rows, metrics: dict[str, Any]) -> None:
    predicted = [100 * row["mean_predicted"] for row in rows]
    bought = [100 * row["fraction_positives"] for row in rows]
    most = max([*predicted, *bought, 1.0])
    axes.plot([0, most], [0, most], color=GREY, linestyle="--", label="as predicted")
    axes.plot(predicted, bought, color=BLUE, marker="o", label="model, out of time")
    for x, y, row in zip(predicted, bought, rows, strict=True):
        axes.annotate(
            f"{row['count']:,}", (x, y), xytext=(5, -9), textcoords="offset points", fontsize=7
        )
    axes.set_xlabel("mean predicted probability (%), bins of equal size, their counts beside")
    axes.set_ylabel("share that bought (%)")
    error = metrics["calibration_mae"]
    axes.legend(loc="upper left", title=f"mean error {100 * error:.1f} points")


def _lifts(axes: Any, rows: Rows) -> None:
    for cohort, colour, name in (
        ("all", BLUE, "all customers"), ("expansion", ORANGE, "never bought it"),
    ):  # fmt: skip
        mine = [row for row in rows if row["cohort"] == cohort and row["lift_at_10"] is not None]
        days = [row["cutoff"] for row in mine]
        axes.plot(days, [row["lift_at_10"] for row in mine], color=colour, marker="o", label=name)
    axes.axhline(1.0, color=GREY, linestyle="--", label="random order")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("cutoff")
    axes.set_ylabel("lift in the best tenth")
    axes.tick_params(axis="x", rotation=20, labelsize=8)
    axes.figure.subplots_adjust(bottom=0.2)
    axes.legend()


def _features(axes: Any, rows: Rows) -> None:
    top = rows[:TOP_FEATURES][::-1]
    axes.figure.subplots_adjust(left=0.36)
    axes.barh([row["feature"] for row in top], [row["mean_abs_shap"] for row in top], color=BLUE)
    axes.set_xlabel("mean size of its part in the log-odds")
    axes.tick_params(axis="y", labelsize=7)
