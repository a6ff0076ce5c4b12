"""Text cells to typed values, as Ibis expressions that read the same on every engine.

A parser returns null both for a blank cell and for one it cannot read; ``is_blank`` tells
the two apart, so that a cell that means nothing becomes a violation and not a null.
"""

from __future__ import annotations

import ibis.expr.types as ir

from gosales.engine import MONEY

__all__ = ["BLANK", "clean_id", "clean_text", "filled", "parse_money"]

# White space as found in exports, with the no-break space.
BLANK = " \t\r\n\u00a0\u2007\u202f"
# What programs write for "nothing".
NOTHING = ("", "nan", "null", "none", "n/a", "#n/a", "nat")
PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
# Currency signs and codes, blanks and apostrophes that stand beside or within a number.
DECORATION = rf"(^[A-Z]{{3}}|[A-Z]{{3}}$|[$€£¥₹{BLANK}'’])"
SHAPES = {
    ".": r"^(([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?$",
    ",": r"^(([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]*)?|,[0-9]+)([eE][-+]?[0-9]{1,2})?$",
}


def clean_text(column: ir.StringValue) -> ir.StringValue:
    """Without surrounding blanks; null where nothing is left."""
    return column.re_replace(rf"^[{BLANK}]+|[{BLANK}]+$", "").nullif("")


def filled(column: ir.StringValue) -> ir.BooleanValue:
    """Whether a cell holds something; cells such as ``null`` or ``NaN`` do not."""
    return column.notnull() & ~_bare(column).lower().isin(NOTHING)


def clean_id(column: ir.StringValue) -> ir.StringValue:
    """A key as text: blanks around it and a spreadsheet's ``.0`` removed, zeros kept.

    `` 0123 `` is ``0123``; ``123.0`` is ``123``; ``V1.0`` stays. Null where blank.
    """
    bare = _bare(column)
    key = bare.re_search(r"^[0-9]+\.0+$").ifelse(bare.re_replace(r"\.0+$", ""), bare)
    return filled(column).ifelse(key, None)


def parse_money(column: ir.StringValue, decimal: str) -> ir.DecimalValue:
    """``1,234.50``, ``$1,234.50``, ``(250.00)``, ``250-``, ``USD 12``, ``1.2E+03``; with
    ``decimal`` a comma, ``1.234,50 €``. A lone dash is the accountant's zero.

    decimal(18, 4), rounded half away from zero. Null where blank, unreadable or too large.
    """
    bare = column.re_replace(DECORATION, "").replace("−", "-").replace("–", "-")
    inside = bare.re_search(r"^\(.*\)$")
    negative = inside | bare.startswith("-") | bare.endswith("-")
    body = inside.ifelse(bare.re_replace(r"^\(|\)$", ""), bare).re_replace(r"^[-+]|-$", "")
    group = "," if decimal == "." else "."
    plain = body.replace(group, "").replace(decimal, ".")
    # A number that ends in its mark (`12.`) is one that casts differ on.
    plain = plain.re_replace(r"\.$", "").re_replace(r"^\.", "0.")
    amount = plain.try_cast(MONEY)
    signed = negative.ifelse(-amount, amount).cast(MONEY)
    dash = bare.isin(["-", "--"])
    formatted = dash.ifelse(
        dash.ifelse("0", None).cast(MONEY), body.re_search(SHAPES[decimal]).ifelse(signed, None)
    )
    if decimal == ",":
        return formatted
    # Most cells are plain numbers; only the others pay for the clean-up.
    return column.re_search(PLAIN_NUMBER).ifelse(column.try_cast(MONEY), formatted)


def _bare(column: ir.StringValue) -> ir.StringValue:
    return column.re_replace(rf"^[{BLANK}]+|[{BLANK}]+$", "")
