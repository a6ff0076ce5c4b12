"""What the commands around the list print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gosales.screen import Screen

if TYPE_CHECKING:
    from gosales.whitespace.matrix import MatrixReport
    from gosales.whitespace.outcome import OutcomeReport
    from gosales.whitespace.profile import ProfileReport

__all__ = ["show_matrix", "show_outcome", "show_profiles"]

STRONGEST = 3


def show_profiles(report: ProfileReport, screen: Screen) -> None:
    days = ", ".join(day.isoformat() for day in report.cutoffs)
    screen.say(f"New buyers in the label windows after {days}.")
    screen.table(
        "Ideal customers: what new buyers have more than others",
        ["division", "without it", "bought it", "strongest signs (times as many buyers)"],
        [
            [
                one.division,
                one.customers,
                one.buyers,
                "; ".join(f"{name}: {value} ({lift:.1f})" for name, value, lift in
                          one.over[:STRONGEST]) or "none beyond chance",
            ]
            for one in report.profiles
        ],
    )  # fmt: skip
    for division, why in report.skipped.items():
        screen.say(f"No profile: {division}: {why}")


def show_matrix(report: MatrixReport, screen: Screen) -> None:
    cells = ", ".join(f"{count:,} {state}" for state, count in report.cells.items())
    screen.say(f"{report.customers:,} customers at {report.cutoff}: {cells}.")
    market = sorted(report.open_market.items(), key=lambda item: (-item[1], item[0]))
    screen.table(
        "The market still open",
        ["division", "expected gross profit"],
        [[name, worth] for name, worth in market],
    )


def show_outcome(report: OutcomeReport, screen: Screen) -> None:
    lists = ", ".join(day.isoformat() for day in report.lists)
    screen.table(
        f"What the lists of {lists} brought",
        ["group", "customers", "buyers", "buyer rate", "gross profit", "per customer"],
        [
            [name, g.customers, g.buyers, f"{g.buyer_rate:.1%}", g.gross_profit,
             g.gross_profit_per_customer]
            for name, g in (("handed out", report.handed), ("held back", report.control))
        ],
    )  # fmt: skip
    rate, low, high = (100 * value for value in report.buyer_rate_difference)
    screen.say(
        f"Buyer rate: {rate:+.1f} points for acting (95 % interval {low:+.1f} to {high:+.1f})."
    )
    value, least, most = report.profit_difference
    if least is None or most is None:
        screen.say(f"Gross profit a customer: {value:+,.2f}; too few customers for an interval.")
    else:
        screen.say(
            f"Gross profit a customer: {value:+,.2f} (95 % interval {least:+,.2f} to {most:+,.2f})."
        )
    if report.open_until is not None:
        screen.say(f"The last label window is still open: the log ends {report.open_until}.")
    if report.crossed:
        screen.say(f"{report.crossed} held-back customers were on a later list; they count here.")
