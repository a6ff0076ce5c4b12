"""The commands of Phase 4: the list, and what is made of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gosales.cli_call import (
    HERE,
    AsJson,
    Config,
    Divisions,
    Quiet,
    WindowMonths,
    Workdir,
    cutoff_of,
    opened,
)
from gosales.errors import UsageError

__all__ = ["handover", "matrix", "outcome", "profile", "publish", "whitespace"]


def whitespace(
    cutoff: Annotated[
        str | None, typer.Option("--cutoff", help="YYYY-MM-DD; default: the scores' cutoff.")
    ] = None,
    window_months: WindowMonths = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="As probability=0.5,expected_gp=0.5; or learned."),
    ] = None,
    normalize: Annotated[
        str | None, typer.Option("--normalize", help="pooled or percentile.")
    ] = None,
    capacity_mode: Annotated[
        str | None,
        typer.Option("--capacity-mode", help="hybrid, top_percent or accounts_per_rep."),
    ] = None,
    accounts_per_rep: Annotated[
        int | None, typer.Option("--accounts-per-rep", help="Most customers of one rep.")
    ] = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Rank the whitespace: who does not have what, best first, with reasons.

    At an earlier cutoff the models are trained on what was known then, and the list is shown
    with what was bought afterwards.
    """
    from gosales.pipeline.summaries import show_whitespace
    from gosales.whitespace import rank_whitespace

    flags = {
        "labels.window_months": window_months,
        "whitespace.weights": _weights(weights),
        "whitespace.normalize": normalize,
        "whitespace.capacity_mode": capacity_mode,
        "whitespace.accounts_per_rep": accounts_per_rep,
    }
    with opened("whitespace", workspace, config, quiet, as_json, flags) as call:
        report = rank_whitespace(call.run, cutoff_of(cutoff))
        show_whitespace(report, call.run, call.screen)
        call.screen.summary(report)


def profile(
    division: Divisions = "all",
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """The ideal customer of each division, and who looks like one without having bought it."""
    from gosales.pipeline.summaries import divisions_of
    from gosales.pipeline.whitespace_pages import show_profiles
    from gosales.whitespace.profile import build_profiles

    with opened("profile", workspace, config, quiet, as_json) as call:
        report = build_profiles(call.run, divisions_of(call.run, division))
        show_profiles(report, call.screen)
        call.screen.summary(report)


def matrix(
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Customers x divisions: what each has, had or could buy, and the market still open."""
    from gosales.pipeline.whitespace_pages import show_matrix
    from gosales.whitespace.matrix import build_matrix

    with opened("matrix", workspace, config, quiet, as_json) as call:
        report = build_matrix(call.run)
        show_matrix(report, call.screen)
        call.screen.summary(report)


def outcome(
    since: Annotated[str, typer.Option("--since", help="YYYY-MM-DD: lists from this cutoff on.")],
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """What acting on the lists brought, against the customers held back."""
    from gosales.months import parse_cutoffs
    from gosales.pipeline.whitespace_pages import show_outcome
    from gosales.whitespace.outcome import measure_outcome

    day = parse_cutoffs(since)[0]
    with opened("outcome", workspace, config, quiet, as_json) as call:
        report = measure_outcome(call.run, day)
        show_outcome(report, call.screen)
        call.screen.summary(report)


def handover(
    formats: Annotated[
        str | None, typer.Option("--format", help="salesforce, hubspot, parquet, excel.")
    ] = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """The list for Salesforce, HubSpot, Excel or a notebook, without the control group."""
    from gosales.handover import hand_over

    wanted = None if formats is None else [word.strip() for word in formats.split(",")]
    with opened("handover", workspace, config, quiet, as_json) as call:
        report = hand_over(call.run, wanted)
        call.screen.say(f"{report.rows:,} rows of the list of {report.cutoff}:")
        for file in report.files:
            call.screen.say(f"  {call.run.workspace.root / file}")
        call.screen.summary(report)


def publish(
    to: Annotated[
        str, typer.Option("--to", help="Database URL; secrets as ${NAME} from the environment.")
    ],
    schema: Annotated[str, typer.Option("--schema", help="The schema that is ours.")] = "gosales",
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write star, scores and whitespace into a database, replacing only what is ours."""
    from gosales.handover import publish as publish_tables

    with opened("publish", workspace, config, quiet, as_json) as call:
        report = publish_tables(call.run, to, schema)
        call.screen.table(
            f"Published to {report.target}, schema {report.schema}",
            ["table", "rows"],
            [[name, rows] for name, rows in report.tables.items()],
        )
        if report.removed:
            call.screen.say(f"Taken away, no longer made: {', '.join(report.removed)}.")
        call.screen.summary(report)


def _weights(words: str | None) -> Any:
    """``learned``, ``probability=0.6,affinity=0.4``, or numbers in the order of the signals."""
    from gosales.settings import WhitespaceWeights

    if words is None or words.strip() == "learned":
        return words and "learned"
    parts = [part.strip() for part in words.split(",") if part.strip()]
    signals = tuple(WhitespaceWeights.model_fields)
    named = all("=" in part for part in parts)
    pairs: list[Any] = [part.split("=", 1) for part in parts]
    if not named:
        pairs = list(zip(signals, parts, strict=False))
    try:
        if not named and len(parts) > len(signals):
            raise ValueError
        return {name.strip(): float(value) for name, value in pairs}
    except ValueError:
        raise UsageError(
            f"--weights {words}: not weights.",
            f"Write learned, or as in probability=0.5,expected_gp=0.5 (of {', '.join(signals)}).",
        ) from None
