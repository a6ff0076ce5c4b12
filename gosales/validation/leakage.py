"""Does anything after a cutoff reach what is learnt? Build it from a log that ends there.

For each cutoff the star is cut at it, features and cohort flags are made from what is left, and
each column is compared with that of the whole log, to the bit. A difference is a leak: a number
that could not have been known on that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.checksum import parquet_batches
from gosales.errors import UsageError
from gosales.etl.cut import cut_star
from gosales.etl.star import StarFacts, open_star, read_star_facts
from gosales.features import build_features, ensure_features
from gosales.labels import COHORTS, LabelSpec, check_cutoffs, label_table
from gosales.months import add_months, month_ends
from gosales.run import Run
from gosales.workspace import Workspace

__all__ = ["Leak", "LeakageReport", "check_leakage"]

COLUMNS = pa.schema(
    {
        "cutoff": pa.string(),
        "division": pa.string(),
        "table": pa.string(),
        "column": pa.string(),
        "customers": pa.int64(),
        "example": pa.string(),
        "whole_log": pa.float64(),
        "cut_log": pa.float64(),
    }
)


@dataclass(frozen=True)
class Leak:
    """One column that differs, for how many customers, and the first of them with its values.

    ``table`` is ``features`` or ``labels``; the column ``customer_id`` stands for customers that
    only one of the two has. A value is None where it is null.
    """

    cutoff: dt.date
    division: str
    table: str
    column: str
    customers: int
    example: str
    whole_log: float | None
    cut_log: float | None


@dataclass(frozen=True)
class LeakageReport:
    """``columns``: how many were compared; ``launched_later``: divisions that a cutoff does not
    know, and so has no matrix for."""

    cutoffs: tuple[dt.date, ...]
    divisions: tuple[str, ...]
    columns: int
    launched_later: dict[str, tuple[str, ...]]
    leaks: tuple[Leak, ...]


def check_leakage(
    run: Run, divisions: Sequence[str], cutoffs: Sequence[dt.date] | None = None
) -> LeakageReport:
    """Compare at each cutoff; writes ``validation/leakage.json`` and ``leakage.csv``.

    Without cutoffs: the newest month end whose label window has closed. Raises UsageError for an
    unknown division or a cutoff that no order precedes or follows, MissingArtifact without a
    star.
    """
    about = read_star_facts(run.workspace)
    names = about.resolve_divisions(list(divisions))
    days = _cutoffs(about, cutoffs, run.settings.labels.window_months)
    leaks: list[Leak] = []
    later: dict[str, tuple[str, ...]] = {}
    columns = 0
    for day in days:
        with run.step(f"leakage at {day}") as step:
            place = Workspace(run.workspace.scratch / f"cut-{day}")
            inside = cut_star(run, day, place)
            known = set(read_star_facts(place).divisions)
            here = [name for name in names if name in known]
            if absent := tuple(name for name in names if name not in known):
                later[str(day)] = absent
            for name, table, whole, cut in _pairs(run, inside, here, day):
                count, found = _compare(whole, cut)
                columns += count
                leaks += [Leak(day, name, table, *difference) for difference in found]
            step.rows = columns
    report = LeakageReport(tuple(days), tuple(names), columns, later, tuple(leaks))
    _write(run, report)
    return report


def _cutoffs(about: StarFacts, given: Sequence[dt.date] | None, months: int) -> list[dt.date]:
    if given is not None:
        days = check_cutoffs(about, given)
        if days[-1] >= about.last_order:
            raise UsageError(
                f"No order is later than the cutoff {days[-1]}: there is nothing that could leak.",
                f"Choose cutoffs before {about.last_order}.",
            )
        return days
    last = about.last_order
    ends = [day for day in month_ends(about.first_order, last) if day < last]
    if not ends:
        raise UsageError("The log has no month end with orders before and after it.")
    closed = [day for day in ends if add_months(day, months) <= last]
    return (closed or ends)[-1:]


def _pairs(
    run: Run, inside: Run, divisions: Sequence[str], day: dt.date
) -> Iterator[tuple[str, str, pa.Table, pa.Table]]:
    """(division, kind, from the whole log, from the cut log), one division at a time."""
    if not divisions:
        return
    whole, cut = (_flags(each, divisions, day) for each in (run, inside))
    for name in divisions:
        yield name, "labels", _of(whole, name), _of(cut, name)
    ensure_features(run, divisions, [day])
    build_features(inside, divisions, [day])
    for name in divisions:
        paths = [each.workspace.features(name, day) for each in (run, inside)]
        whole, cut = (pa.Table.from_batches(parquet_batches(path)) for path in paths)
        yield name, "features", whole, cut


def _flags(run: Run, divisions: Sequence[str], day: dt.date) -> pa.Table:
    """The cohort flags of the customers with an order by the cutoff.

    Others are in the population of the mode ``all`` only, as new logos.
    """
    spec = LabelSpec.from_settings(run)
    labels = label_table(open_star(run), divisions, [day], spec)
    known = labels.filter(labels.is_new_logo == 0)
    columns = ["division", "customer_id", *(f"is_{cohort}" for cohort in COHORTS)]
    return run.engine.to_arrow(known.select(*columns).order_by("division", "customer_id"))


def _of(labels: pa.Table, division: str) -> pa.Table:
    return labels.filter(pc.equal(labels["division"], division)).drop_columns(["division"])


Difference = tuple[str, int, str, float | None, float | None]


def _compare(whole: pa.Table, cut: pa.Table) -> tuple[int, list[Difference]]:
    """How many columns, and those that differ.

    A column that only one of the two has must say nothing: those of a division that is launched
    after the cutoff are null or 0 throughout. Its missing-flag then says nothing new either.
    """
    found: list[Difference] = []
    ids = [table["customer_id"].combine_chunks().cast(pa.string()) for table in (whole, cut)]
    places = pc.index_in(ids[0], value_set=ids[1])
    both = pc.is_valid(places)
    strangers = [
        *ids[0].filter(pc.invert(both)).to_pylist(),
        *ids[1].filter(pc.invert(pc.is_in(ids[1], value_set=ids[0]))).to_pylist(),
    ]
    if strangers:
        found.append(("customer_id", len(strangers), strangers[0], None, None))
    customers = ids[0].filter(both)
    whole, cut = whole.filter(both), cut.take(places.filter(both))
    names = [name for name in whole.column_names if name != "customer_id"]
    names += [name for name in cut.column_names if name not in whole.column_names]
    for name in names:
        one, other = (_numbers(table, name) for table in (whole, cut))
        if all(name in table.column_names for table in (whole, cut)):
            differ = ~((one == other) | (np.isnan(one) & np.isnan(other)))
        elif name.endswith("__missing"):
            continue
        else:
            differ = (np.nan_to_num(one) != 0) | (np.nan_to_num(other) != 0)
        if differ.any():
            row = int(np.argmax(differ))
            values = (_value(one[row]), _value(other[row]))
            found.append((name, int(differ.sum()), customers[row].as_py(), *values))
    return len(names), found


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """A column with NaN for null; NaN throughout where there is no such column."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values: npt.NDArray[np.float64]
    values = table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _value(number: np.float64) -> float | None:
    return None if np.isnan(number) else float(number)


def _write(run: Run, report: LeakageReport) -> None:
    folder = run.workspace.output("validation")
    rows = [asdict(leak) | {"cutoff": str(leak.cutoff)} for leak in report.leaks]
    with run.commit("leakage") as change:
        change.made_from(run.workspace.fact)
        change.csv(pa.Table.from_pylist(rows, COLUMNS), folder / "leakage.csv")
        content: dict[str, Any] = {
            "clean": not report.leaks,
            "cutoffs": [str(day) for day in report.cutoffs],
            "divisions": report.divisions,
            "columns_compared": report.columns,
            "launched_later": report.launched_later,
            "leaks": rows,
        }
        change.json(content, folder / "leakage.json")
