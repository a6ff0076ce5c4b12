"""The stage: the ranked whitespace, the list that a team works through, and its figures.

Reads the scores, the star, the feature matrices and the team's own lists. The order is total:
whitespace score, expected gross profit, probability, division, customer; the rows of the list
come first, in the list's order.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gosales.errors import NothingToDo
from gosales.etl.star import open_star
from gosales.run import Run
from gosales.scoring import LIKELY, Outlook
from gosales.settings import WhitespaceWeights
from gosales.whitespace.capacity import Capacity, Limits, choose
from gosales.whitespace.control import hold_back
from gosales.whitespace.eligibility import Eligible, eligible_pairs
from gosales.whitespace.learned import Learned, learned_weights
from gosales.whitespace.ledger import read_ledger, with_list
from gosales.whitespace.ranking import Pairs, codes, open_pairs
from gosales.whitespace.report import REASONS, Listing, explanations, metrics, thresholds
from gosales.whitespace.scored import Scored, scores_for
from gosales.whitespace.sentence import sentences
from gosales.whitespace.signals import effective_weights

__all__ = ["Opportunity", "WhitespaceReport", "rank_whitespace"]

BEST = 10
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Opportunity:
    """One line of the list."""

    rank: int
    customer_id: str
    customer_name: str
    division: str
    probability: float
    expected_gp: float
    reason: str


@dataclass(frozen=True)
class WhitespaceReport:
    """The list in numbers, and its first lines; ``hindsight`` as in Scored.

    ``likely_gp``: within which what it brings will lie in four windows of five.
    """

    cutoff: dt.date
    candidates: int
    removed: dict[str, int]
    eligible: int
    listed: int
    control: int
    expected_gp: float
    likely_gp: tuple[float, float]
    hindsight: tuple[str, ...]
    best: tuple[Opportunity, ...]


def rank_whitespace(run: Run, cutoff: dt.date | None = None) -> WhitespaceReport:
    """Write the ranked whitespace of the scores' cutoff, or of an earlier one.

    An earlier cutoff is scored by models that could be had then, and leaves the current list
    and the ledger alone. Raises MissingArtifact without scores, NothingToDo when no pair is
    eligible.
    """
    scored = scores_for(run, cutoff)
    if scored.hindsight:
        run.warn(
            f"The list of {scored.cutoff} is in-sample: the models of "
            f"{', '.join(scored.hindsight)} saw what was bought after it. No figure of it shows "
            "how good the list is."
        )
    with run.step("whitespace") as step:
        eligible = eligible_pairs(
            run, run.engine.read_parquet(scored.path), open_star(run), scored.cutoff,
            lists=scored.current,
        )  # fmt: skip
        if not eligible.pairs.num_rows:
            raise NothingToDo(_why_nothing(eligible))
        pairs = open_pairs(run, eligible.pairs, scored.cutoff)
        listing = _list(run, scored, pairs, eligible)
        report = _report(scored, eligible, listing)
        _write(run, scored, pairs, listing)
        step.rows = listing.table.num_rows
    return report


def _why_nothing(eligible: Eligible) -> str:
    counts = ", ".join(f"{n} {rule}" for rule, n in eligible.removed.items() if n)
    if {rule for rule, n in eligible.removed.items() if n} == {"bought_before"}:
        return "There is no whitespace: every customer bought in every division."
    return f"There is no whitespace: all {eligible.candidates} pairs are removed ({counts})."


def _list(run: Run, scored: Scored, pairs: Pairs, eligible: Eligible) -> Listing:
    settings = run.settings.whitespace
    learned = _weights(run, scored.cutoff)
    weights = effective_weights(learned.weights, pairs.signals.coverage, settings.min_coverage)
    for line in weights.notes:
        run.note(line)
    score = pairs.signals.score(weights.used)
    order = pairs.order(score)
    capacity = _capacity(run, pairs, order)
    if capacity.note:
        run.note(capacity.note)
    rest = np.ones(len(order), dtype=bool)
    rest[capacity.rows] = False
    order = np.concatenate([order[capacity.rows], order[rest]])[: settings.max_rows]
    table = pairs.ranked(score, order)
    table = _marked(run, scored.cutoff, table, len(capacity.rows))
    met = pq.read_table(scored.forecasts).to_pylist()
    outlook = Outlook.of(met, "expansion")
    return Listing(scored, eligible, learned, weights, score, capacity, table, outlook)


def _weights(run: Run, cutoff: dt.date) -> Learned:
    asked = run.settings.whitespace.weights
    if isinstance(asked, WhitespaceWeights):
        return Learned(asked.model_dump(), ())
    return learned_weights(run, cutoff)


def _capacity(run: Run, pairs: Pairs, order: Ints) -> Capacity:
    settings = run.settings.whitespace
    _, rep = codes(pairs.table.column("rep"))
    limits = Limits(
        settings.capacity_mode,
        settings.capacity_percent,
        settings.accounts_per_rep,
        settings.max_division_share,
        settings.max_rows,
    )
    return choose(pairs.division[order], pairs.customer[order], rep[order], limits)


def _marked(run: Run, cutoff: dt.date, table: pa.Table, listed: int) -> pa.Table:
    """``selected``, ``control`` and ``reason``, after the columns that identify the pair."""
    first = table.slice(0, listed)
    _, division = codes(first.column("whitespace_division"))
    held = hold_back(
        first.column("customer_id").to_pylist(),
        division,
        run.settings.whitespace.control_share,
        run.settings.run.seed,
        str(cutoff),
    )
    control = np.zeros(table.num_rows, dtype=np.int8)
    control[:listed] = held
    selected = (np.arange(table.num_rows) < listed).astype(np.int8)
    place = table.column_names.index("expected_gp") + 1
    table = table.add_column(place, "reason", sentences([table.column(n) for n in REASONS]))
    table = table.add_column(place + 1, "selected", pa.array(selected))
    return table.add_column(place + 2, "control", pa.array(control))


def _report(scored: Scored, eligible: Eligible, listing: Listing) -> WhitespaceReport:
    handed = listing.handed
    low, high = listing.intervals(LIKELY)["expected_gp"]
    best = tuple(
        Opportunity(
            rank=row["rank"],
            customer_id=row["customer_id"],
            customer_name=row["customer_name"] or "",
            division=row["whitespace_division"],
            probability=row["icp_score"],
            expected_gp=row["expected_gp"],
            reason=row["reason"],
        )
        for row in handed.slice(0, BEST).to_pylist()
    )
    return WhitespaceReport(
        cutoff=scored.cutoff,
        candidates=eligible.candidates,
        removed=eligible.removed,
        eligible=eligible.pairs.num_rows,
        listed=handed.num_rows,
        control=listing.control.num_rows,
        expected_gp=listing.expected_gp,
        likely_gp=(low, high),
        hindsight=scored.hindsight,
        best=best,
    )


def _write(run: Run, scored: Scored, pairs: Pairs, listing: Listing) -> None:
    place, day = run.workspace, scored.cutoff
    short = listing.table.drop_columns(list(REASONS))
    ledger = read_ledger(run)
    figures, reached = metrics(run, pairs, listing, ledger), thresholds(run, pairs, listing)
    with run.commit("whitespace") as change:
        change.made_from(scored.path, place.fact)
        if scored.current:
            change.csv(short, place.output("whitespace.csv"))
            change.arrow(short, place.output("whitespace.parquet"))
        change.csv(listing.table, place.output(f"whitespace_{day}.csv"))
        change.csv(explanations(listing), place.output(f"whitespace_explanations_{day}.csv"))
        change.csv(reached, place.output(f"thresholds_whitespace_{day}.csv"))
        control = place.output(f"whitespace_control_{day}.csv")
        if listing.control.num_rows:
            change.csv(listing.control.drop_columns(list(REASONS)), control)
        else:
            change.remove(control)
        change.json(figures, place.output(f"whitespace_metrics_{day}.json"))
    if scored.current and not scored.hindsight:
        # The memory of lists stays true when what they were made from moves on: no inputs.
        with run.commit("whitespace") as change:
            path = place.output("whitespace_ledger.parquet")
            change.arrow(with_list(ledger, day, listing.selected), path)
