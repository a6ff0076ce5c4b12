"""Opens the port and serves the app; who may ask it, and what a browser may do with its pages."""

from __future__ import annotations

import ipaddress
import socket
import threading
import webbrowser
from collections.abc import Callable

from gosales.errors import MissingExtraError, UsageError
from gosales.settings import Settings, UiSettings
from gosales.workspace import Workspace

__all__ = ["address", "is_loopback", "listen", "serve"]


def serve(
    workspace: Workspace, settings: Settings, browser: bool, say: Callable[[str], None]
) -> None:
    """Serve until interrupted. ``say`` is told the address.

    Raises MissingExtraError without the extra 'ui', UsageError when the port cannot be had.
    """
    try:
        import uvicorn

        from gosales.ui.app import create_app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gosales"):
            raise
        raise MissingExtraError("ui", "gosales ui") from None
    listening = listen(settings.ui)
    with listening:
        url = address(settings.ui, listening.getsockname()[1])
        app = create_app(workspace, settings)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        say(f"GoSales on {workspace.root}: {url}  (Ctrl+C ends it)")
        if not is_loopback(settings.ui.host):
            say(
                f"ui.host is {settings.ui.host}: whoever reaches this port sees your customers; "
                "there is no password."
            )
        if browser:
            # The socket already listens: a browser that comes early waits a moment.
            threading.Timer(0.5, webbrowser.open, [url]).start()
        uvicorn.Server(config).run(sockets=[listening])


def address(settings: UiSettings, port: int) -> str:
    """Where a browser on this machine finds the app."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(settings: UiSettings) -> socket.socket:
    """A socket at ``ui.host`` and ``ui.port``. Raises UsageError when it cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((settings.host, settings.port))
        opened.listen(64)
    except OSError as error:
        opened.close()
        raise UsageError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}.",
            "Give another with --port (0 = any that is free), or set ui.host.",
        ) from None
    return opened
