"""Is a model as good as it says, at each cutoff? marimo edit docs/notebooks/honesty_by_cutoff.py"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="A model's honesty, by cutoff")


@app.cell
def _():
    import json
    import os
    from pathlib import Path

    import marimo as mo
    import pandas as pd
    import pyarrow.csv as pa_csv

    outputs = Path(os.environ.get("GOSALES_WORKSPACE", "gosales-demo")) / "gosales" / "outputs"
    metrics = {
        found["division"]: found
        for file in sorted(outputs.glob("metrics_*.json"))
        for found in [json.loads(file.read_text(encoding="utf-8"))]
    }
    return metrics, mo, outputs, pa_csv, pd


@app.cell
def _(mo):
    mo.md("""
    ## How the figures came about
    `nested` and `temporal` are out of time; `customer` is not, for want of an earlier window.
    `beats_rule` says whether the model beats the recency-frequency rule beyond chance.
    """)
    return


@app.cell
def _(metrics, pd):
    protocols = pd.DataFrame(
        {
            "division": division,
            "protocol": found["evaluation"]["protocol"],
            "judged at": ", ".join(found["evaluation"]["reported_cutoffs"]),
            "positives": found["positives"],
            "beats_rule": found["against_rule"]["all"]["beats_rule"],
        }
        for division, found in metrics.items()
    )
    protocols.sort_values("positives", ascending=False)
    return


@app.cell
def _(mo):
    mo.md("""
    ## Cutoff by cutoff
    A model that is good at one cutoff only was lucky there. Only customers who never bought the
    division (`expansion`): the others flatter.
    """)
    return


@app.cell
def _(metrics, pd):
    by_cutoff = pd.DataFrame(
        {"division": division, **row}
        for division, found in metrics.items()
        for row in found["aggregates"]["by_cutoff"]
        if row["cohort"] == "expansion"
    )
    lifts = by_cutoff.pivot(index="division", columns="cutoff", values="lift_at_10")
    lifts.round(2)
    return


@app.cell
def _(mo):
    mo.md("""
    ## Said and seen
    Over all judged rows of the division with most buyers. `count` tells how much a bin weighs.
    """)
    return


@app.cell
def _(metrics, outputs, pa_csv):
    chosen = max(metrics, key=lambda division: metrics[division]["positives"])
    slug = "".join(letter if letter.isalnum() else "_" for letter in chosen.lower())
    calibration = pa_csv.read_csv(outputs / f"calibration_{slug}.csv").to_pandas()
    seen, said = calibration["fraction_positives"], calibration["mean_predicted"]
    error = float((abs(seen - said) * calibration["count"]).sum() / calibration["count"].sum())
    calibration.round(3)
    return chosen, error


@app.cell
def _(chosen, error, metrics, mo):
    mo.md(f"""
    {chosen}: said and seen are {error:.3f} apart on average; the metrics say
    {metrics[chosen]["calibration_mae"]:.3f}.
    """)
    return


if __name__ == "__main__":
    app.run()
