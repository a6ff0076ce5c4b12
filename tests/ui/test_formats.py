from __future__ import annotations

from decimal import Decimal

import pytest

from gosales.errors import ConfigError
from gosales.settings import UiSettings
from gosales.ui.drawing import TEMPLATES, Drawing, environment
from gosales.ui.formats import NOTHING, Formats


def formats(locale: str = "en_US", currency: str = "USD") -> Formats:
    return Formats(UiSettings(host="127.0.0.1", port=0, locale=locale, currency=currency))


@pytest.mark.parametrize(
    ("locale", "currency", "money", "number", "percent", "day"),
    [
        ("en_US", "USD", "$1,234,568", "1,234.5", "12.3%", "Jun 30, 2024"),
        ("de_DE", "EUR", "1.234.568\xa0€", "1.234,5", "12,3\xa0%", "30.06.2024"),
        ("en-GB", "GBP", "£1,234,568", "1,234.5", "12.3%", "30 Jun 2024"),
        ("en_US", "", "1,234,568", "1,234.5", "12.3%", "Jun 30, 2024"),
    ],
)
def test_values_are_written_as_the_locale_and_currency_say(
    locale: str, currency: str, money: str, number: str, percent: str, day: str
) -> None:
    f = formats(locale, currency)
    shown = (f.money(1234567.8), f.number(1234.54, 1), f.percent(0.1234, 1), f.day("2024-06-30"))
    assert shown == (money, number, percent, day)


def test_short_money_keeps_small_amounts_whole() -> None:
    f = formats()
    assert [f.short_money(v) for v in (12.3, 1234, 2_558_103, -4321)] == [
        "$12",
        "$1.2K",
        "$2.6M",
        "-$4.3K",
    ]


@pytest.mark.parametrize(
    ("locale", "currency", "told"),
    [
        ("en_US", "USD", ["$0.35", "-$9.40", "$10", "$0"]),
        ("de_DE", "EUR", ["0,35\xa0€", "-9,40\xa0€", "10\xa0€", "0\xa0€"]),
        ("en_US", "", ["0.35", "-9.40", "10", "0"]),
    ],
)
def test_money_below_ten_is_told_to_the_hundredth(
    locale: str, currency: str, told: list[str]
) -> None:
    f = formats(locale, currency)
    assert [f.money(v) for v in (0.35, -9.4, 9.999, -0.001)] == told
    assert [f.short_money(v) for v in (0.35, -9.4, 9.999, -0.001)] == told


def test_small_odds_do_not_all_read_as_nothing() -> None:
    f = formats()
    assert [f.odds(v) for v in (0.004, 0.096, 0.31)] == ["0.4%", "9.6%", "31%"]


@pytest.mark.parametrize("value", [None, float("nan"), Decimal("NaN")])
def test_what_is_not_there_is_a_dash(value: object) -> None:
    f = formats()
    assert {f.money(value), f.number(value), f.percent(value), f.odds(value), f.times(value)} == {
        NOTHING
    }


def test_money_of_the_star_is_decimal() -> None:
    assert formats().money(Decimal("1234.5600")) == "$1,235"


def test_a_locale_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ui\.locale: 'xx_YY'"):
        formats("xx_YY")


def test_a_head_keeps_the_capitals_of_names() -> None:
    drawing = Drawing(UiSettings(host="127.0.0.1", port=0, locale="en_US", currency=""))
    made = environment(drawing.formats, TEMPLATES).from_string("{{ 'owns_PDM'|headline }}")
    assert made.render() == "Owns PDM"
