"""SQL over the artifacts, by DuckDB. To edit: marimo edit docs/notebooks/sql_over_artifacts.py"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="SQL over the artifacts")


@app.cell
def _():
    import os
    from pathlib import Path

    import duckdb
    import marimo as mo

    workspace = Path(os.environ.get("GOSALES_WORKSPACE", "gosales-demo")) / "gosales"
    star, outputs = workspace / "data" / "curated", workspace / "outputs"
    db = duckdb.connect()
    for name, file in {
        "facts": star / "fact" / "fact_transactions.parquet",
        "customers": star / "dim" / "dim_customer.parquet",
        "scores": outputs / "icp_scores.parquet",
        "whitespace": outputs / "whitespace.parquet",
    }.items():
        db.read_parquet(str(file)).create_view(name)
    return db, mo


@app.cell
def _(mo):
    mo.md("""
    ## Gross profit a year, and how many buy
    """)
    return


@app.cell
def _(db):
    years = db.sql("""
        select product_division as division, year(order_date) as year,
               sum(gross_profit) as gross_profit, count(distinct customer_id) as customers
        from facts group by all order by division, year
    """)
    years.df()
    return


@app.cell
def _(mo):
    mo.md("""
    ## Gains
    Of the expected gross profit of all open pairs, how much do the best 5, 10, 20 % hold? The
    rank is that of the list, which is by score and capacity, not by that profit alone.
    """)
    return


@app.cell
def _(db):
    gains = db.sql("""
        with ranked as (
            select expected_gp, row_number() over (order by rank) / count(*) over () as part
            from whitespace
        )
        select share, sum(expected_gp) filter (part <= share) / sum(expected_gp) as captured
        from ranked, (values (0.05), (0.1), (0.2), (0.5), (1.0)) as s(share)
        group by share order by share
    """)
    gains.df()
    return


@app.cell
def _(mo):
    mo.md("""
    ## Large customers without a division that most of their like have
    Deciles by gross profit so far; what the best tenth lacks, with the odds.
    """)
    return


@app.cell
def _(db):
    gaps = db.sql("""
        with sized as (
            select customer_id, ntile(10) over (order by gross_profit desc) as tenth from customers
        )
        select s.customer_name, s.division_name, s.icp_score, s.expected_gp
        from scores s join sized using (customer_id)
        where tenth = 1 and owned_before = 0
        order by expected_gp desc, customer_id, division_name limit 20
    """)
    gaps.df()
    return


if __name__ == "__main__":
    app.run()
