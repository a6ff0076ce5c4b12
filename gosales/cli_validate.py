"""The commands of Phase 5: what a user can check on their own log."""

from __future__ import annotations

import typer

from gosales.cli_call import (
    HERE,
    AsJson,
    Config,
    Cutoffs,
    Divisions,
    Quiet,
    WindowMonths,
    Workdir,
    opened,
)
from gosales.errors import IntegrityError

__all__ = ["validate_app"]

validate_app = typer.Typer(help="Check what was learnt on your own log.", no_args_is_help=True)


@validate_app.command("forward")
def forward(
    division: Divisions = "all",
    cutoff: Cutoffs = None,
    window_months: WindowMonths = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Were the models right that could have been had at an earlier cutoff?

    Trains them on what was known then, scores its customers, and holds the scores against what
    was bought in the label window after.
    """
    from gosales.months import parse_cutoffs
    from gosales.pipeline.summaries import divisions_of, show_forward
    from gosales.validation import validate_forward

    flags = {"labels.window_months": window_months}
    with opened("validate-forward", workspace, config, quiet, as_json, flags) as call:
        report = validate_forward(
            call.run,
            divisions_of(call.run, division),
            parse_cutoffs(cutoff) if cutoff else None,
        )
        show_forward(report, call.screen)
        call.screen.summary(report)


@validate_app.command("leakage")
def leakage(
    division: Divisions = "all",
    cutoff: Cutoffs = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Build features and cohorts from a log that ends at the cutoff; they must be the same.

    Exit code 6 when anything differs: it came from after the cutoff.
    """
    from gosales.months import parse_cutoffs
    from gosales.pipeline.summaries import divisions_of, show_leakage
    from gosales.validation import check_leakage

    with opened("validate-leakage", workspace, config, quiet, as_json) as call:
        report = check_leakage(
            call.run,
            divisions_of(call.run, division),
            parse_cutoffs(cutoff) if cutoff else None,
        )
        show_leakage(report, call.screen)
        call.screen.summary(report)
        if report.leaks:
            names = list(dict.fromkeys(leak.column for leak in report.leaks))
            more = ", ..." if len(names) > 3 else ""
            raise IntegrityError(
                f"{len(names)} column(s) know what came after the cutoff: "
                f"{', '.join(names[:3])}{more}.",
                "outputs/validation/leakage.csv lists them; do not train on them. If another "
                "version made them, make them again with: gosales features",
            )
