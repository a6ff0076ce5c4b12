"""Templates with the reader's formats and our charts in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gosales.errors import MissingExtraError
from gosales.settings import UiSettings
from gosales.ui.formats import Formats

__all__ = ["STATIC", "TEMPLATES", "Drawing", "environment"]

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
NAVIGATION = (
    ("/", "Overview"),
    ("/opportunities", "Opportunities"),
    ("/account", "Accounts"),
    ("/matrix", "Whitespace matrix"),
    ("/ideal", "Ideal customer"),
    ("/models", "Models"),
    ("/data", "Data"),
    ("/runs", "Runs"),
)


class Drawing:
    """Draws a page from a template and what a view gave."""

    def __init__(self, settings: UiSettings) -> None:
        self.formats = Formats(settings)
        self._environment = environment(self.formats, TEMPLATES)

    def page(self, template: str, path: str, **values: Any) -> str:
        here = f"/{path.strip('/').split('/')[0].split('.')[0]}"
        drawn: str = self._environment.get_template(template).render(
            navigation=NAVIGATION, here=here, **values
        )
        return drawn


def environment(formats: Formats, *folders: Path) -> Any:
    """Jinja's environment: everything is escaped that is not our own markup.

    Raises MissingExtraError without Jinja.
    """
    try:
        import jinja2
    except ImportError:
        raise MissingExtraError("ui", "Drawing pages") from None
    from gosales.ui import charts

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {
        "number": formats.number,
        "money": formats.money,
        "short_money": formats.short_money,
        "percent": formats.percent,
        "odds": formats.odds,
        "times": formats.times,
        "day": formats.day,
        "headline": _headline,
    }
    made.globals |= {"charts": charts, "f": formats, "query": _query}
    return made


def _headline(text: str) -> str:
    """A name of ours as a head: ``owns PDM`` is ``Owns PDM``, ``industry_sub`` ``Industry sub``."""
    words = text.replace("_", " ")
    return words[:1].upper() + words[1:]


def _query(**values: Any) -> str:
    """A query string of the values that are there."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})
