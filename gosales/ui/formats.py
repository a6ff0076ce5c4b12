"""Numbers, money and days as the reader's locale writes them (``ui.locale``, ``ui.currency``)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from gosales.amounts import rounded
from gosales.errors import ConfigError, MissingExtraError
from gosales.settings import UiSettings

__all__ = ["NOTHING", "Formats"]

NOTHING = "–"


class Formats:
    """Writers of values; a value that is not there is a dash.

    Raises MissingExtraError without Babel, ConfigError for a locale it does not know.
    """

    def __init__(self, settings: UiSettings) -> None:
        try:
            from babel import Locale, UnknownLocaleError
        except ImportError:
            raise MissingExtraError("ui", "Writing numbers for people") from None
        try:
            self.locale = Locale.parse(settings.locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            raise ConfigError(
                f"ui.locale: '{settings.locale}' is no locale.", "Write it as in en_US or de_DE."
            ) from None
        self.currency = settings.currency

    @property
    def language(self) -> str:
        return str(self.locale).replace("_", "-")

    def number(self, value: Any, digits: int = 0) -> str:
        """As in ``1,234`` or, with digits, ``1,234.5``."""
        from babel.numbers import format_decimal

        if _absent(value):
            return NOTHING
        places = "." + "0" * digits if digits else ""
        return str(format_decimal(value, f"#,##0{places}", locale=self.locale))

    def money(self, value: Any) -> str:
        """Of the currency; without one, a plain number."""
        from babel.numbers import format_currency

        if _absent(value):
            return NOTHING
        told, decimals = rounded(value)
        if not self.currency:
            return self.number(told, decimals)
        pattern = self.locale.currency_formats["standard"].pattern
        if not decimals:
            pattern = pattern.replace("0.00", "0")
        return str(
            format_currency(told, self.currency, pattern, locale=self.locale, currency_digits=False)
        )

    def short_money(self, value: Any) -> str:
        """As in ``$1.2M``, for charts and tiles."""
        from babel.numbers import format_compact_currency, format_compact_decimal

        if _absent(value):
            return NOTHING
        if abs(value) < 1000:
            return self.money(value)
        if not self.currency:
            return str(format_compact_decimal(value, locale=self.locale, fraction_digits=1))
        shown = format_compact_currency(value, self.currency, locale=self.locale, fraction_digits=1)
        return str(shown)

    def percent(self, value: Any, digits: int = 0) -> str:
        """Of a share: 0.25 is ``25%``."""
        from babel.numbers import format_percent

        if _absent(value):
            return NOTHING
        base = self.locale.percent_formats[None].pattern
        pattern = base.replace("#,##0", "#,##0." + "0" * digits) if digits else base
        return str(format_percent(value, pattern, locale=self.locale))

    def odds(self, value: Any) -> str:
        """A probability; small ones with a decimal, so that they do not all read 0 or 1."""
        if _absent(value):
            return NOTHING
        return self.percent(value, 1 if value < 0.1 else 0)

    def times(self, value: Any) -> str:
        """A lift: how many times as many."""
        return NOTHING if _absent(value) else f"{self.number(value, 1)}×"

    def day(self, value: Any) -> str:
        from babel.dates import format_date

        if _absent(value):
            return NOTHING
        if isinstance(value, str):
            value = dt.date.fromisoformat(value[:10])
        return str(format_date(value, "medium", locale=self.locale))


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float | Decimal) and value != value)
