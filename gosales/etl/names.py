"""Company names in the form in which they are compared.

Each rule stands here twice over the same tables and patterns: as an Ibis expression for
columns and as a plain function for single values; a test holds the two equal on every engine.
Patterns use only what the engines' and Python's regular expressions share.
"""

from __future__ import annotations

import re
import unicodedata

import ibis
import ibis.expr.types as ir

__all__ = [
    "name_key",
    "plain_name_key",
    "plain_split_numbered_name",
    "split_numbered_name",
]

# Legal forms, as they stand at the end of a name once punctuation is gone.
_FORMS = [
    "inc",
    "incorporated",
    "llc",
    "llp",
    "lp",
    "ltd",
    "limited",
    "plc",
    "corp",
    "corporation",
    "co",
    "company",
    "companies",
    "gmbh",
    "ag",
    "kg",
    "kgaa",
    "ohg",
    "ug",
    "mbh",
    "ev",
    "se",
    "sa",
    "sas",
    "sarl",
    "sasu",
    "srl",
    "spa",
    "sl",
    "slu",
    "sau",
    "bv",
    "nv",
    "cv",
    "vof",
    "ab",
    "as",
    "asa",
    "aps",
    "oy",
    "oyj",
    "pty",
    "pte",
    "pvt",
    "kk",
    "ltda",
    "eirl",
    "sro",
    "doo",
    "dd",
    "kft",
    "zrt",
    "nyrt",
    "sp",
    "spzoo",
]
# Letters that are two letters without their ligature.
_PAIRS = {
    "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th",
}  # fmt: skip
# Letters that Unicode does not take apart, and those whose lower case depends on the reader.
_SINGLES = {
    "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "ł": "l", "Ł": "l", "ħ": "h",
    "Ħ": "h", "ŧ": "t", "Ŧ": "t", "ı": "i", "İ": "i", "ſ": "s", "Σ": "σ", "ς": "σ", "K": "k",
    "Å": "a",
}  # fmt: skip
# Blocks of letters with accents (Latin, Greek, Cyrillic); their decompositions never change.
_ACCENTED = ((0x00C0, 0x024F), (0x0370, 0x04FF), (0x1E00, 0x1EFF))


def _folds() -> dict[str, str]:
    """Each accented letter and its bare letter in lower case, as in É -> e."""
    folds = dict(_SINGLES)
    for first, last in _ACCENTED:
        for letter in map(chr, range(first, last + 1)):
            bare = unicodedata.normalize("NFD", letter)[0]
            if bare != letter and bare.isalpha() and letter not in folds:
                folds[letter] = folds.get(bare, bare.lower())
    return folds


_FOLDS = _folds()
_NOT_ASCII = r"[^\x00-\x7f]"
_DROPPED = "['`´‘’ʼ\u0300-\u036f\u200b-\u200d\ufeff]"
# What is no letter and no digit, in the blocks where names live.
_PUNCTUATION = (
    r"[\x00-\x26\x28-\x2f\x3a-\x40\x5b-\x5f\x7b-\x7f"
    "\u0080-\u00a9\u00ab-\u00b3\u00b6-\u00b9\u00bb-\u00bf×÷"
    "\u2000-\u200a\u200e-\u206f\u20a0-\u20cf\u2100\u2101\u2120-\u2122\u2190-\u2bff"
    "\u3000-\u3004\u3008-\u3020\uff01-\uff0f\uff1a-\uff20]+"
)
# An id number before a name has at least four digits: "84 Lumber" and "360 Imaging" are names.
_NUMBERED = r"^[0-9]{4,} .*[^0-9 ]"
_NUMBER = r"^[0-9]{4,} "
_ENDING = "( (and co|" + "|".join(" ?".join(f) if len(f) < 5 else f for f in _FORMS) + "))+$"
_STEPS = ((_DROPPED, ""), ("[&＆]", " and "), (_PUNCTUATION, " "), (" +", " "), ("^ | $", ""))
_BLANK = " \t\u00a0"
_SPLIT = (
    rf"(?s)^[{_BLANK}]*([0-9]{{4,}})(\.0)?[{_BLANK}:#-]+"
    rf"([^{_BLANK}:#-].*[^0-9{_BLANK}.,:#-].*|[^0-9{_BLANK}:#-].*)$"
)
_EDGES = rf"^[{_BLANK}\r\n]+|[{_BLANK}\r\n]+$"


def name_key(column: ir.StringValue) -> ir.StringValue:
    """The comparable form of company names; null where nothing is left to compare.

    Lower case without accents, an id number before the name, punctuation and legal forms;
    ``&`` is ``and``. ``497588 Acmé Corp.`` and ``ACME, Inc`` are both ``acme``.
    """
    text = ibis.ifelse(column.re_search(_NOT_ASCII), _fold(column), column).lower()
    for pattern, put in _STEPS:
        text = text.re_replace(pattern, put)
    text = ibis.ifelse(text.re_search(_NUMBERED), text.re_replace(_NUMBER, ""), text)
    return text.re_replace(_ENDING, "").nullif("")


def _fold(column: ir.StringValue) -> ir.StringValue:
    for letter, letters in _PAIRS.items():
        column = column.replace(letter, letters)
    return column.translate("".join(_FOLDS), "".join(_FOLDS.values()))


def plain_name_key(name: str) -> str | None:
    """``name_key`` of one name.

    >>> plain_name_key("497588 Acmé & Sons, L.L.C.")
    'acme and sons'
    """
    for letter, letters in _PAIRS.items():
        name = name.replace(letter, letters)
    text = name.translate(_PLAIN_FOLDS).lower()
    for pattern, put in _STEPS:
        text = re.sub(pattern, put, text)
    if re.search(_NUMBERED, text):
        text = re.sub(_NUMBER, "", text)
    return re.sub(_ENDING, "", text) or None


_PLAIN_FOLDS = str.maketrans(_FOLDS)


def split_numbered_name(column: ir.StringValue) -> tuple[ir.StringValue, ir.StringValue]:
    """The id number (null where there is none) and the name of ``497588 Acme Corp``."""
    numbered = column.re_search(_SPLIT)
    nothing = ibis.null().cast("string")
    number = ibis.ifelse(numbered, column.re_extract(_SPLIT, 1), nothing)
    name = ibis.ifelse(numbered, column.re_extract(_SPLIT, 3), column)
    return number, name.re_replace(_EDGES, "").nullif("")


def plain_split_numbered_name(text: str) -> tuple[str | None, str | None]:
    """``split_numbered_name`` of one cell.

    >>> plain_split_numbered_name(" 497588 Acme Corp")
    ('497588', 'Acme Corp')
    >>> plain_split_numbered_name("84 Lumber")
    (None, '84 Lumber')
    """
    found = re.search(_SPLIT, text)
    number, name = (found[1], found[3]) if found else (None, text)
    return number, re.sub(_EDGES, "", name) or None
