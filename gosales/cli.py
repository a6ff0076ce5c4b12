"""Every command in one place: parse, call one stage, print.

The order of ``gosales --help`` is the order of the pipeline.
"""

from __future__ import annotations

import datetime as dt
import gc
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated, Any

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
    cutoff_of,
    opened,
)
from gosales.cli_ui import report, ui
from gosales.cli_validate import validate_app
from gosales.cli_whitespace import handover, matrix, outcome, profile, publish, whitespace
from gosales.cli_workspace import config_app, init, sample_app
from gosales.errors import GoSalesError, UsageError

__all__ = ["app", "main", "run_command"]

app = typer.Typer(
    name="gosales",
    help="Which customer to sell what next, how likely it is, what it is worth, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

START, PIPELINE, WHOLE = "Start here", "The pipeline, in its order", "The whole way"
AROUND = "Around the list"
CHECKS = "Checks"
LOOK = "Look at it"
app.command(rich_help_panel=START)(init)
app.add_typer(config_app, name="config", rich_help_panel=START)
app.add_typer(sample_app, name="sample", rich_help_panel=START)
app.add_typer(validate_app, name="validate", rich_help_panel=CHECKS)


@app.command(rich_help_panel=WHOLE)
def demo(
    data: Annotated[
        str, typer.Option("--data", help="simulated or completejourney.")
    ] = "simulated",
    customers: Annotated[int, typer.Option(help="Simulated customers.", min=50)] = 2000,
    out: Annotated[Path, typer.Option("--out", help="The demo's workspace.")] = Path(
        "gosales-demo"
    ),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make a sample log, run everything on it and show what comes out."""
    from gosales.pipeline.setup import sample_completejourney, sample_simulated

    if data == "simulated":
        made = sample_simulated(out, customers=customers)
    elif data == "completejourney":
        made = sample_completejourney(out)
    else:
        raise UsageError(f"--data {data}: no such sample.", "Use simulated or completejourney.")
    if not (quiet or as_json):
        for note in made.notes:
            typer.echo(note)
    _run_all(out, None, quiet, as_json, {}, "demo")


@app.command(name="run", rich_help_panel=WHOLE)
def run_whole(
    config: Config = None,
    workspace: Workdir = HERE,
    fail_soft: Annotated[bool, typer.Option("--fail-soft", help="Curate the good rows.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Walk the whole way: star, labels, features, models, scores, whitespace."""
    flags = {"etl.fail_on_contract_breach": False} if fail_soft else {}
    _run_all(workspace, config, quiet, as_json, flags, "run")


def _run_all(
    workspace: Path,
    config: Path | None,
    quiet: bool,
    as_json: bool,
    flags: dict[str, Any],
    command: str,
) -> None:
    from gosales.pipeline.run_all import run_all, show_summary

    with opened(command, workspace, config, quiet, as_json, flags) as call:
        result = run_all(call.run)
        show_summary(result, call.run, call.screen)


@app.command(rich_help_panel=PIPELINE)
def star(
    config: Config = None,
    workspace: Workdir = HERE,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it even if unchanged.")] = False,
    staging_only: Annotated[
        bool, typer.Option("--staging-only", help="Stop after staging and its profile.")
    ] = False,
    fail_soft: Annotated[
        bool, typer.Option("--fail-soft", help="Curate the good rows, quarantine the others.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Phase 0: sales logs to a checked star schema."""
    from gosales.etl.build_star import build_star
    from gosales.pipeline.summaries import show_star

    with opened("star", workspace, config, quiet, as_json) as call:
        report = build_star(
            call.run, rebuild=rebuild, staging_only=staging_only, fail_soft=fail_soft
        )
        show_star(report, call.screen)
        call.screen.summary(report)


@app.command(rich_help_panel=PIPELINE)
def labels(
    division: Divisions = "all",
    cutoff: Cutoffs = None,
    window_months: WindowMonths = None,
    mode: Annotated[str | None, typer.Option("--mode", help="expansion or all.")] = None,
    gp_min_threshold: Annotated[
        float | None, typer.Option("--gp-min-threshold", help="Least net gross profit.")
    ] = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Phase 1: who bought what after each cutoff."""
    from gosales.labels import build_labels
    from gosales.pipeline.summaries import cutoffs_of, divisions_of, show_labels

    flags = {
        "labels.window_months": window_months,
        "labels.mode": mode,
        "labels.gp_min_threshold": gp_min_threshold,
    }
    with opened("labels", workspace, config, quiet, as_json, flags) as call:
        report = build_labels(
            call.run, divisions_of(call.run, division), cutoffs_of(call.run, cutoff)
        )
        show_labels(report, call.screen)
        call.screen.summary(report)


@app.command(rich_help_panel=PIPELINE)
def features(
    division: Divisions = "all",
    cutoff: Cutoffs = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Phase 2: what was known of each customer at each cutoff."""
    from gosales.features import build_features
    from gosales.pipeline.summaries import cutoffs_of, divisions_of, show_features

    with opened("features", workspace, config, quiet, as_json) as call:
        report = build_features(
            call.run, divisions_of(call.run, division), cutoffs_of(call.run, cutoff)
        )
        show_features(report, call.screen)
        call.screen.summary(report)


@app.command(rich_help_panel=PIPELINE)
def train(
    division: Divisions = "all",
    cutoffs: Cutoffs = None,
    window_months: WindowMonths = None,
    models: Annotated[str | None, typer.Option("--models", help="logreg,lgbm")] = None,
    calibration: Annotated[str | None, typer.Option("--calibration", help="platt,isotonic")] = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Phase 3: one calibrated model a division, with honest figures."""
    from gosales.models import train as train_models
    from gosales.months import parse_cutoffs
    from gosales.pipeline.summaries import divisions_of, show_training

    flags = {
        "labels.window_months": window_months,
        "modeling.models": _words(models),
        "modeling.calibration": _words(calibration),
    }
    with opened("train", workspace, config, quiet, as_json, flags) as call:
        report = train_models(
            call.run,
            divisions_of(call.run, division),
            parse_cutoffs(cutoffs) if cutoffs else None,
        )
        show_training(report, call.screen)
        call.screen.summary(report)


@app.command(rich_help_panel=PIPELINE)
def score(
    cutoff: Annotated[str | None, typer.Option("--cutoff", help="YYYY-MM-DD.")] = None,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Score every division that has a model, and list the whitespace."""
    from gosales.pipeline.run_all import rank_or_say_why
    from gosales.pipeline.summaries import show_scores, show_whitespace
    from gosales.scoring import score as score_all

    flags = {"run.cutoff_date": cutoff_of(cutoff)}
    with opened("score", workspace, config, quiet, as_json, flags) as call:
        report = score_all(call.run)
        show_scores(report, call.screen)
        listed = rank_or_say_why(call.run)
        show_whitespace(listed, call.run, call.screen)
        call.screen.summary({"scores": report, "whitespace": listed})


app.command(rich_help_panel=PIPELINE)(whitespace)
for command in (profile, matrix, handover, publish, outcome):
    app.command(rich_help_panel=AROUND)(command)

app.command(rich_help_panel=LOOK)(ui)
app.command(rich_help_panel=LOOK)(report)


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def run_command(name: str) -> None:
    """The specification's module paths run the same commands as ``gosales NAME``."""
    main([name, *sys.argv[1:]])


def main(arguments: list[str] | None = None) -> None:
    """Run a command; leave with the exit code that artifacts.md names."""
    # Compiling expressions makes millions of small objects that all live: a twentieth of a small
    # run goes into looking among them for garbage.
    gc.set_threshold(50_000, 20, 20)
    try:
        app(args=arguments, prog_name="gosales")
    except GoSalesError as error:
        from gosales.screen import Screen

        Screen().error(error)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"error: {where}{error.strerror or error}", err=True)
        raise SystemExit(2) from None
    except Exception as error:
        file = Path(tempfile.gettempdir()) / f"gosales-defect-{dt.datetime.now():%Y%m%dT%H%M%S}.txt"
        file.write_text(traceback.format_exc(), encoding="utf-8")
        typer.echo(
            f"error: a defect in GoSales ({type(error).__name__}: {error}).\n"
            f"Please report it with the file {file}.",
            err=True,
        )
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
