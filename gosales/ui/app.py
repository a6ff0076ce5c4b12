"""The app: an address to a view, a view to a template. Every page can be shared by its address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from gosales.errors import GoSalesError, MissingExtraError
from gosales.settings import Settings
from gosales.ui import pages
from gosales.ui.downloads import csv_download, excel_download, picked_download
from gosales.ui.drawing import STATIC, Drawing
from gosales.ui.server import is_loopback
from gosales.ui.shelf import Shelf
from gosales.ui.views.health import state_of
from gosales.workspace import Workspace

__all__ = ["create_app"]

# Nothing is fetched from elsewhere, no script or style stands in a page, nobody frames it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Page = Callable[[Shelf, Drawing, Request], str | None]

PAGES: dict[str, Page] = {
    "/": pages.overview_page,
    "/opportunities": pages.opportunities_page,
    "/account": pages.account_page,
    "/matrix": pages.matrix_page,
    "/ideal": pages.profile_page,
    "/models": pages.models_page,
    "/data": pages.data_page,
    "/runs": pages.runs_page,
}


def create_app(workspace: Workspace, settings: Settings) -> Starlette:
    """The ASGI app of a workspace. Raises ConfigError for a locale that does not exist."""
    shelf, drawing = Shelf(workspace, settings), Drawing(settings.ui)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        shelf.close()

    def shown(page: Page) -> Any:
        def endpoint(request: Request) -> Response:
            try:
                content = page(shelf, drawing, request)
            except MissingExtraError as error:
                return _told(drawing, request, "missing", error)
            except GoSalesError as error:
                return _told(drawing, request, state_of(error), error)
            if content is None:
                return _not_found(drawing, request)
            return HTMLResponse(content)

        return endpoint

    def file(made: Callable[[Shelf, Request], Response]) -> Any:
        def endpoint(request: Request) -> Response:
            try:
                return made(shelf, request)
            except GoSalesError as error:
                return _told(drawing, request, state_of(error), error, 409)

        return endpoint

    async def picked(request: Request) -> Response:
        body = await request.body()
        try:
            return await run_in_threadpool(picked_download, shelf, body)
        except GoSalesError as error:
            return _told(drawing, request, state_of(error), error, 409)

    routes: list[BaseRoute] = [Route(path, shown(page)) for path, page in PAGES.items()]
    routes += [
        Route("/opportunities.csv", file(csv_download)),
        Route("/opportunities.xlsx", file(excel_download)),
        Route("/opportunities/picked", picked, methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    host = settings.ui.host
    # A page of another site must not reach this server under a name that it made up.
    allowed = ["127.0.0.1", "localhost", "[::1]", host] if is_loopback(host) else ["*"]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=allowed, www_redirect=False),
        Middleware(_Headers),
    ]

    async def missing(request: Request, _: Exception) -> Response:
        return _not_found(drawing, request)

    return Starlette(
        routes=routes,
        middleware=middleware,
        lifespan=lifespan,
        exception_handlers={404: missing},
    )


class _Headers:
    """Adds ``HEADERS`` to every answer."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                named = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *named]
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


def _told(
    drawing: Drawing, request: Request, state: str, error: GoSalesError, status: int = 200
) -> Response:
    """A page that says what is wrong with the workspace and what to run."""
    content = drawing.page(
        "trouble.html", request.url.path, state=state, message=error.message, remedy=error.remedy
    )
    return HTMLResponse(content, status)


def _not_found(drawing: Drawing, request: Request) -> Response:
    return HTMLResponse(drawing.page("not_found.html", request.url.path), 404)
