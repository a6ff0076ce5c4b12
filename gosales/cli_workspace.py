"""The commands before the pipeline: make a workspace, fill it with a sample, see its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gosales.cli_call import HERE, AsJson, Config, Workdir

__all__ = ["config_app", "init", "sample_app"]

config_app = typer.Typer(help="Show the settings in force, or their schema.", no_args_is_help=True)
sample_app = typer.Typer(help="Make a workspace with a sample sales log.", no_args_is_help=True)


def init(folder: Annotated[Path, typer.Argument(help="The new workspace.")] = HERE) -> None:
    """Make a workspace: folders for your log and a commented config.yaml."""
    from gosales.pipeline.setup import init_workspace

    for line in init_workspace(folder):
        typer.echo(line)


@config_app.command("show")
def config_show(config: Config = None, workspace: Workdir = HERE, as_json: AsJson = False) -> None:
    """The settings in force and where each value came from."""
    from gosales.pipeline.setup import show_settings

    typer.echo(show_settings(workspace, config, as_json))


@config_app.command("schema")
def config_schema() -> None:
    """The JSON schema of config.yaml, for editors."""
    import json

    from gosales.settings import Settings

    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))


@sample_app.command("simulate")
def sample_simulate(
    out: Annotated[Path, typer.Option("--out", help="The workspace to make.")],
    customers: Annotated[int, typer.Option(min=1)] = 2000,
    rows: Annotated[int | None, typer.Option(help="About how many documents.", min=1)] = None,
    seed: int = 7,
    signal: Annotated[float, typer.Option(help="0: purchases that nothing predicts.")] = 1.0,
    shift: Annotated[str | None, typer.Option(help="Demand, mix and prices change then.")] = None,
    mess: Annotated[float, typer.Option(help="How messy the export is.", min=0)] = 1.0,
    faults: Annotated[float, typer.Option(help="Share of rows that are wrong.", min=0)] = 0.0,
) -> None:
    """A reseller's wide Sales_Log.csv, with the truth beside it."""
    from gosales.months import parse_cutoffs
    from gosales.pipeline.setup import sample_simulated

    made = sample_simulated(
        out,
        customers=customers,
        rows=rows,
        seed=seed,
        signal=signal,
        shift=parse_cutoffs(shift)[0] if shift else None,
        mess=mess,
        faults=faults,
    )
    _tell_sample(made)


@sample_app.command("completejourney")
def sample_journey(out: Annotated[Path, typer.Option("--out", help="The workspace.")]) -> None:
    """Real grocery data as a long sales log (extra 'samples')."""
    from gosales.pipeline.setup import sample_completejourney

    _tell_sample(sample_completejourney(out))


def _tell_sample(made: Any) -> None:
    for note in made.notes:
        typer.echo(note)
    typer.echo(f"{made.rows:,} rows of {made.customers:,} customers in {made.paths[0]}")
