"""Read the list and the scores in Python. To edit: marimo edit docs/notebooks/read_the_list.py"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Read the list and the scores")


@app.cell
def _():
    import os
    from pathlib import Path

    import marimo as mo
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    # The workspace: GOSALES_WORKSPACE, or that of the demo.
    outputs = Path(os.environ.get("GOSALES_WORKSPACE", "gosales-demo")) / "gosales" / "outputs"
    return mo, outputs, pc, pq


@app.cell
def _(mo):
    mo.md("""
    ## The list
    `whitespace.parquet` holds every open pair, best first; the list is what is `selected`, and the
    team works through the part that is not held back as `control`.
    """)
    return


@app.cell
def _(outputs, pc, pq):
    ranked = pq.read_table(outputs / "whitespace.parquet")
    handed_out = ranked.filter(
        pc.and_(pc.equal(ranked["selected"], 1), pc.equal(ranked["control"], 0))
    )
    shown = ["rank", "customer_name", "whitespace_division", "icp_score", "expected_gp", "reason"]
    handed_out.select(shown).slice(0, 10).to_pandas()
    return (handed_out,)


@app.cell
def _(mo):
    mo.md("""
    ## What it is worth, by division
    """)
    return


@app.cell
def _(handed_out):
    by_division = (
        handed_out.group_by("whitespace_division")
        .aggregate([("expected_gp", "sum"), ("icp_score", "sum"), ("customer_id", "count")])
        .rename_columns(["division", "expected_gp", "expected_buyers", "customers"])
        .sort_by([("expected_gp", "descending")])
    )
    by_division.to_pandas()
    return


@app.cell
def _(mo):
    mo.md("""
    ## One customer in every division
    `icp_scores.parquet` has all customers, owners too. Here: the first customer of the list.
    """)
    return


@app.cell
def _(handed_out, outputs, pc, pq):
    customer = handed_out["customer_id"][0].as_py()
    scores = pq.read_table(outputs / "icp_scores.parquet")
    mine = scores.filter(pc.equal(scores["customer_id"], customer))
    mine = mine.sort_by([("icp_score", "descending")])
    mine.drop_columns(["customer_id", "cutoff"]).to_pandas()
    return


if __name__ == "__main__":
    app.run()
