"""Each page: reads its address, asks a view, fills a template. Nothing is worked out here."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.requests import Request

from gosales.errors import MissingArtifact
from gosales.ui.charts import COLOURS
from gosales.ui.drawing import Drawing
from gosales.ui.shelf import Shelf
from gosales.ui.views.account import Account, account, find_customers
from gosales.ui.views.commands import PROFILE, STAR
from gosales.ui.views.data import data_quality
from gosales.ui.views.matrix import GROUPS, MEASURES, groupings, groups, members
from gosales.ui.views.models import model, summaries
from gosales.ui.views.opportunities import CHOICES, Ask, opportunities
from gosales.ui.views.overview import overview
from gosales.ui.views.profile import profile, profiled
from gosales.ui.views.runs import run_detail, runs

__all__ = [
    "account_page",
    "data_page",
    "division_colours",
    "matrix_page",
    "models_page",
    "opportunities_page",
    "overview_page",
    "profile_page",
    "runs_page",
]


def overview_page(shelf: Shelf, drawing: Drawing, request: Request) -> str:
    view = overview(shelf)
    template = "empty.html" if view.is_empty else "overview.html"
    return drawing.page(template, request.url.path, view=view, root=shelf.workspace.root)


def opportunities_page(shelf: Shelf, drawing: Drawing, request: Request) -> str:
    view = opportunities(shelf, Ask.of(request.query_params))
    # A filter or column of what no customer has would only take room.
    names = [name for name in CHOICES if view.choices[name] or getattr(view.ask, name)]
    facets = [name for name in GROUPS if name in names]
    return drawing.page(
        "opportunities.html", request.url.path, view=view, names=names, facets=facets
    )


def account_page(shelf: Shelf, drawing: Drawing, request: Request) -> str | None:
    params = request.query_params
    customer_id = params.get("id")
    if customer_id is None:
        words = params.get("search", "").strip()
        found = find_customers(shelf, words)
        return drawing.page("accounts.html", request.url.path, found=found, words=words)
    view = account(shelf, customer_id, params.get("division", ""))
    if view is None:
        return None
    colours = division_colours(view)
    return drawing.page("account.html", request.url.path, view=view, colours=colours)


def matrix_page(shelf: Shelf, drawing: Drawing, request: Request) -> str:
    params = request.query_params
    known = groupings(shelf)
    by = params.get("by") if params.get("by") in known else next(iter(known), "")
    measure = params.get("measure") if params.get("measure") in MEASURES else MEASURES[0]
    value = params.get("value", "")
    everyone = params.get("customers") == "all" or not known
    if value or everyone:
        page = _number(params.get("page"))
        view = members(shelf, by if value and by else "", value, page)
    else:
        view = groups(shelf, str(by), str(measure))
    return drawing.page(
        "matrix.html", request.url.path, view=view, by=by, measure=measure, value=value,
        everyone=everyone, groups=known,
    )  # fmt: skip


def profile_page(shelf: Shelf, drawing: Drawing, request: Request) -> str:
    known = profiled(shelf, _divisions(shelf))
    if not known:
        raise MissingArtifact("No division has a profile yet.", f"Make them with: {PROFILE}")
    wanted = request.query_params.get("division", "")
    division = wanted if wanted in known else known[0]
    view = profile(shelf, division)
    return drawing.page("profile.html", request.url.path, view=view, divisions=known)


def models_page(shelf: Shelf, drawing: Drawing, request: Request) -> str | None:
    division = request.query_params.get("division")
    lines = summaries(shelf)
    if division is None:
        return drawing.page("models.html", request.url.path, lines=lines)
    if division not in {line.division for line in lines}:
        return None
    view = model(shelf, division)
    return drawing.page("model.html", request.url.path, view=view, lines=lines)


def data_page(shelf: Shelf, drawing: Drawing, request: Request) -> str:
    params = request.query_params
    view = data_quality(shelf, params.get("rule", ""), _number(params.get("page")))
    return drawing.page("data.html", request.url.path, view=view)


def runs_page(shelf: Shelf, drawing: Drawing, request: Request) -> str | None:
    run_id = request.query_params.get("id")
    if run_id is None:
        return drawing.page("runs.html", request.url.path, lines=runs(shelf))
    view = run_detail(shelf, run_id)
    if view is None:
        return None
    return drawing.page("run.html", request.url.path, view=view)


def division_colours(view: Account) -> dict[str, int]:
    """A colour's number for each division, the most profitable first; the rest share the last."""
    worth: Counter[str] = Counter()
    for _, division, value in view.timeline:
        worth[division] += round(abs(value))
    ranked = sorted(worth, key=lambda name: (-worth[name], name))
    return {name: min(place, COLOURS) for place, name in enumerate(ranked)}


def _divisions(shelf: Shelf) -> list[str]:
    found: list[str] = shelf.json(shelf.workspace.star_facts, STAR)["divisions"]
    return found


def _number(text: Any) -> int:
    return int(text) if str(text).isdecimal() else 1
