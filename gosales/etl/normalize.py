"""Text cells to typed values, as Ibis expressions that read the same on every engine.

Most cells are plain; what needs patterns (money with signs and marks) is read once per
distinct text, in steps that are computed before the next builds on them: nested, such
expressions repeat each other and cost a hundred times as much.
"""

from __future__ import annotations

import ibis.expr.types as ir

from gosales.engine import MONEY, Engine

__all__ = ["BLANK", "clean_id", "clean_text", "filled", "folded_id", "parse_money", "plain_money"]

# White space as found in exports, with the no-break spaces.
BLANK = " \t\r\n\u00a0\u2007\u202f"
# All that surrounds a cell without being a part of it, as the inside of a class.
SPACE = r" \t\r\n\x0b\x0c\x{a0}\x{2007}\x{202f}"
# What programs write for "nothing".
NOTHING = "nan|null|none|n/a|#n/a|nat"
# Patterns that tell at one look which few cells need more than a look.
EMPTY = rf"^[{SPACE}]*(?i:{NOTHING})?[{SPACE}]*$"
UNTIDY = rf"[\x{{a0}}\x{{2007}}\x{{202f}}]|^[{SPACE}]|[{SPACE}]$|^$"
NO_KEY = rf"[^!-~]|\.0|^(?i:{NOTHING})?$"
# Numbers as most are written, none of them too large for an amount, and what has to go before
# they are cast.
PLAIN = {
    ".": (r"^-?\$?([0-9]{1,13}|[0-9]{1,3}(,[0-9]{3}){1,3})(\.[0-9]+)?$", (("$", ""), (",", ""))),
    ",": (r"^-?([0-9]{1,13}|[0-9]{1,3}(\.[0-9]{3}){1,3})(,[0-9]+)?$", ((".", ""), (",", "."))),
}
# Currency signs and codes, blanks and apostrophes that stand beside or within a number.
DECORATION = rf"(^[A-Z]{{3}}|[A-Z]{{3}}$|[$€£¥₹{BLANK}'’])"
SHAPES = {
    ".": r"^(([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?$",
    ",": r"^(([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]*)?|,[0-9]+)([eE][-+]?[0-9]{1,2})?$",
}


def clean_text(column: ir.StringValue) -> ir.StringValue:
    """Without surrounding blanks; null where nothing is left."""
    return column.re_search(UNTIDY).ifelse(_bare(column).nullif(""), column)


def filled(column: ir.StringValue) -> ir.BooleanValue:
    """Whether a cell holds something; cells such as ``null`` or ``NaN`` do not."""
    return column.notnull() & ~column.re_search(EMPTY)


def clean_id(column: ir.StringValue) -> ir.StringValue:
    """A key as text: blanks around it and a spreadsheet's ``.0`` removed, zeros kept.

    `` 0123 `` is ``0123``; ``123.0`` is ``123``; ``V1.0`` stays. Null where blank.
    """
    bare = _bare(column)
    whole = bare.re_search(r"^[0-9]+\.0+$").ifelse(bare.re_replace(r"\.0+$", ""), bare)
    key = bare.re_search(EMPTY).ifelse(None, whole)
    return column.re_search(NO_KEY).ifelse(key, column)


def folded_id(column: ir.StringValue) -> ir.StringValue:
    """A key but for what systems and spreadsheets change: letter case and leading zeros."""
    return column.lower().re_replace("^0+", "")


def is_plain(column: ir.StringValue, decimal: str) -> ir.BooleanValue:
    """Whether a text is a number that ``plain_money`` reads."""
    return column.re_search(PLAIN[decimal][0])


def plain_money(column: ir.StringValue, decimal: str) -> ir.DecimalValue:
    """The amount in a plain number (``-1234.5``, ``$1,234.50``), null for every other text."""
    bare = column
    for mark, put in PLAIN[decimal][1]:
        bare = bare.replace(mark, put)
    return is_plain(column, decimal).ifelse(bare.try_cast(MONEY), None)


def parse_money(engine: Engine, texts: ir.Table, decimal: str) -> ir.Table:
    """``text`` (distinct) -> ``text``, ``amount`` (decimal(18, 4)), ``unreadable``.

    Reads ``1,234.50``, ``$1,234.50``, ``(250.00)``, ``250-``, ``USD 12``, ``1.2E+03``; with
    ``decimal`` a comma, ``1.234,50 €``. A lone dash is the accountant's zero. Rounded half
    away from zero. Null where blank, and where ``unreadable`` or too large.
    """
    bare = texts.text.re_replace(DECORATION, "").replace("−", "-").replace("–", "-")
    step = engine.cache(texts.select("text", bare=bare, filled=filled(texts.text)))
    inside = step.bare.startswith("(") & step.bare.endswith(")")
    step = engine.cache(
        step.select(
            "text",
            "filled",
            dash=step.bare.isin(["-", "--"]),
            negative=inside | step.bare.startswith("-") | step.bare.endswith("-"),
            body=inside.ifelse(step.bare.re_replace(r"^\(|\)$", ""), step.bare).re_replace(
                r"^[-+]|-$", ""
            ),
        )
    )
    group = "," if decimal == "." else "."
    plain = step.body.replace(group, "").replace(decimal, ".")
    # Casts differ on numbers that begin or end in their mark (`12.`, `.5`).
    plain = plain.re_replace(r"\.$", "").re_replace(r"^\.", "0.")
    shaped = step.body.re_search(SHAPES[decimal])
    step = engine.cache(
        step.select(
            "text",
            "filled",
            "negative",
            amount=step.dash.ifelse("0", shaped.ifelse(plain, None)).try_cast(MONEY),
        )
    )
    signed = step.negative.ifelse(-step.amount, step.amount).cast(MONEY)
    return engine.cache(
        step.select("text", amount=signed, unreadable=step.filled & step.amount.isnull())
    )


def _bare(column: ir.StringValue) -> ir.StringValue:
    spaced = column.replace("\u00a0", " ").replace("\u2007", " ").replace("\u202f", " ")
    return spaced.re_replace(rf"^[{SPACE}]+|[{SPACE}]+$", "")
