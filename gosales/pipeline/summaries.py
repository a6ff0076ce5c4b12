"""What each command prints of its report, in the words of the person who ran it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gosales.amounts import amount
from gosales.etl.star import read_star_facts
from gosales.months import parse_cutoffs
from gosales.run import Run
from gosales.screen import Screen

if TYPE_CHECKING:
    from gosales.etl.star_report import StarReport
    from gosales.features import FeatureReport
    from gosales.labels import LabelReport
    from gosales.models import TrainReport
    from gosales.scoring import ScoreReport
    from gosales.validation import ForwardReport, LeakageReport
    from gosales.whitespace import WhitespaceReport

__all__ = [
    "cutoffs_of",
    "divisions_of",
    "show_features",
    "show_forward",
    "show_labels",
    "show_leakage",
    "show_scores",
    "show_star",
    "show_training",
    "show_whitespace",
]

# So many cutoffs are named one by one.
FEW = 4


def divisions_of(run: Run, words: str) -> list[str]:
    """Canonical division names for a flag; raises UsageError for an unknown one."""
    return read_star_facts(run.workspace).resolve_divisions(words)


def cutoffs_of(run: Run, words: str | None) -> list[dt.date]:
    """The cutoffs of a flag; without one, ``run.cutoff_date`` (auto: the last order date)."""
    if words is not None:
        return parse_cutoffs(words)
    chosen = run.settings.run.cutoff_date
    return [read_star_facts(run.workspace).last_order if chosen == "auto" else chosen]


def show_star(report: StarReport, screen: Screen) -> None:
    if not report.rows_read:
        return
    if not report.built and not report.rows_curated:
        screen.say(f"Staged {report.rows_read:,} rows; the profile is in outputs/qa.")
        return
    aside = f" + {report.rows_set_aside:,} empty" if report.rows_set_aside else ""
    screen.say(
        f"Rows: {report.rows_read:,} read = {report.rows_curated:,} curated + "
        f"{report.rows_quarantined:,} quarantined{aside}."
    )
    screen.say(
        f"Gross profit: {report.money_read:,.2f} read = {report.money_curated:,.2f} curated + "
        f"{report.money_quarantined:,.2f} quarantined."
    )
    for rule, count in report.quarantined_by_rule.items():
        screen.say(f"  {count:,} rows: {rule}")
    screen.say(
        f"Star: {report.transactions:,} transactions of {report.customers:,} customers in "
        f"{len(report.divisions)} divisions."
    )


def show_labels(report: LabelReport, screen: Screen) -> None:
    screen.table(
        "Labels",
        ["division", "cutoff", "window end", "customers", "positives", "prevalence", "censored"],
        [
            [
                s.division,
                s.cutoff.isoformat(),
                s.window_end.isoformat(),
                s.customers,
                s.positives,
                s.prevalence,
                s.censored,
            ]
            for s in report.summaries
        ],
    )


def show_features(report: FeatureReport, screen: Screen) -> None:
    screen.table(
        "Features",
        ["division", "cutoff", "customers", "features"],
        [[s.division, s.cutoff.isoformat(), s.rows, s.features] for s in report.summaries],
    )


def show_training(report: TrainReport, screen: Screen) -> None:
    days = [day.isoformat() for day in report.cutoffs]
    many = f"{len(days)} cutoffs {days[0]} to {days[-1]}"
    named = many if len(days) > FEW else f"cutoffs {', '.join(days)}"
    screen.say(f"Trained on the {named}; window {report.window_months} months.")
    screen.table(
        "Models, out of time (new: customers who never bought the division)",
        [
            "division",
            "model",
            "positives",
            "lift@10",
            "AUC",
            "calibration error",
            "new: lift@10",
            "new: AUC",
            "figures from",
        ],
        [
            [
                d.division,
                d.selected_model,
                d.positives,
                d.lift_at_10,
                d.auc,
                d.calibration_mae,
                d.expansion_lift_at_10,
                d.expansion_auc,
                d.protocol,
            ]
            for d in report.modelled
        ],
    )
    for division, why in report.unmodelled.items():
        screen.say(f"Not modelled: {division}: {why}")


def show_scores(report: ScoreReport, screen: Screen) -> None:
    screen.say(f"Scored {len(report.scored)} divisions at {report.cutoff.isoformat()}.")
    for division, why in report.skipped.items():
        screen.say(f"Not scored: {division}: {why}")


def show_whitespace(report: WhitespaceReport | None, run: Run, screen: Screen) -> None:
    """The best opportunities, as the seller reads them."""
    # Here, so that the other commands start without the libraries of the models.
    from gosales.whitespace.eligibility import RULES

    if report is None:
        return
    rows: list[list[Any]] = [
        [
            str(line.rank),
            line.customer_name or line.customer_id,
            line.division,
            f"{line.probability:.0%}",
            Decimal(line.expected_gp),
            line.reason,
        ]
        for line in report.best
    ]
    screen.table(
        "The best opportunities: customers who do not have the division",
        ["#", "customer", "sell", "odds", "expected profit", "why"],
        rows,
    )
    held = f", {report.control:,} more held back as a control group" if report.control else ""
    screen.say(
        f"{report.listed:,} of {report.eligible:,} open pairs are on the list of {report.cutoff}"
        f"{held}; they are worth {amount(report.expected_gp)} expected gross profit, "
        f"likely {' to '.join(map(amount, report.likely_gp))} (80 %)."
    )
    removed = {rule: n for rule, n in report.removed.items() if n and rule != "bought_before"}
    for rule, n in removed.items():
        screen.say(f"  {n:,} pairs left out: {RULES[rule]}")
    _show_performance(report, run, screen)


def _show_performance(report: WhitespaceReport, run: Run, screen: Screen) -> None:
    """For a cutoff whose window has closed: what the list would have brought."""
    name = f"whitespace_metrics_{report.cutoff}.json"
    told = json.loads(run.workspace.output(name).read_bytes())["performance"]
    if report.hindsight:
        screen.say("In-sample: this says nothing of how good the list is.")
    if not told["shown"]:
        return
    screen.table(
        f"What was bought by {told['window_end']}, out of time",
        ["best % of pairs", "pairs", "buyers", "gross profit", "of all buyers", "of all profit"],
        [
            [
                f"{row['k_percent']:g}",
                row["rows"],
                row["buyers"],
                Decimal(row["gross_profit"]),
                row["share_of_buyers"],
                row["share_of_gross_profit"],
            ]
            for row in told["captured"]
        ],
    )


def show_forward(report: ForwardReport, screen: Screen) -> None:
    for day in report.cutoffs:
        screen.table(
            f"Scored at {day}, held against the {report.window_months} months after "
            "(new: customers who never bought the division)",
            [
                "division",
                "customers",
                "buyers expected",
                "came",
                "profit expected",
                "came",
                "AUC",
                "lift@10",
                "calibration error",
                "new: AUC",
                "new: lift@10",
            ],
            [
                [
                    one.division,
                    one.customers,
                    round(one.expected_buyers),
                    one.buyers,
                    Decimal(one.expected_gp),
                    Decimal(one.gross_profit),
                    one.auc,
                    one.lift_at_10,
                    one.calibration_mae,
                    one.new_auc,
                    one.new_lift_at_10,
                ]
                for one in report.validated
                if one.cutoff == day
            ],
        )
        for name in report.unmodelled.get(str(day), ()):
            screen.say(f"No model at {day}: {name}")
    for one in report.validated:
        for text in one.alerts:
            screen.say(f"Alert: {text}")


def show_leakage(report: LeakageReport, screen: Screen) -> None:
    days = ", ".join(day.isoformat() for day in report.cutoffs)
    for day, names in report.launched_later.items():
        screen.say(f"Not sold yet at {day}: {', '.join(names)}")
    found = f"{len(report.leaks)} differ" if report.leaks else "none differs"
    screen.say(
        f"Compared {report.columns:,} columns at {days} with a log that ends there: {found}."
    )
    if report.leaks:
        screen.table(
            "What came from after the cutoff",
            ["division", "cutoff", "column", "customers", "such as", "whole log", "cut log"],
            [
                [
                    leak.division,
                    leak.cutoff.isoformat(),
                    leak.column,
                    leak.customers,
                    leak.example,
                    leak.whole_log,
                    leak.cut_log,
                ]
                for leak in report.leaks
            ],
        )
