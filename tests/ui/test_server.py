from __future__ import annotations

import builtins
import socket
from pathlib import Path
from typing import Any

import pytest

from gosales.config import load_settings
from gosales.settings import UiSettings
from gosales.ui.server import address, is_loopback
from tests.conftest import Gosales


def settings(host: str) -> UiSettings:
    return UiSettings(host=host, port=0, locale="en_US", currency="USD")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8600/"),
        ("0.0.0.0", "http://127.0.0.1:8600/"),
        ("::", "http://[::1]:8600/"),
        ("sales.local", "http://sales.local:8600/"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, url: str) -> None:
    assert address(settings(host), 8600) == url


def test_only_this_machine_is_the_default() -> None:
    assert is_loopback(load_settings(Path("/nowhere")).settings.ui.host)
    assert is_loopback("::1") and is_loopback("localhost")
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.0.4", "sales.local"))


def test_a_port_that_is_taken_is_one_clear_error(gosales: Gosales, tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        called = gosales("ui", "--workspace", tmp_path, "--port", port, "--no-browser")
    assert called.code == 2
    assert f"127.0.0.1 port {port}" in called.err and "--port" in called.err


def test_a_locale_that_does_not_exist_is_one_clear_error(gosales: Gosales, tmp_path) -> None:
    (tmp_path / "config.yaml").write_text("ui: {locale: xx_YY}\n", encoding="utf-8")
    called = gosales("ui", "--workspace", tmp_path, "--port", 0, "--no-browser")
    assert called.code == 2 and "ui.locale" in called.err


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (("ui", "--no-browser"), "uvicorn"),
        (("ui", "--no-browser"), "babel"),
        (("ui", "--no-browser"), "jinja2"),
        (("report", "--out", "x.html"), "babel"),
        (("report", "--out", "x.html"), "jinja2"),
    ],
)
def test_without_the_extra_the_error_names_it(
    gosales: Gosales,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path,
    command: tuple[str, ...],
    missing: str,
) -> None:
    plain = builtins.__import__

    def blocked(name: str, *more: Any, **named: Any) -> Any:
        if name.split(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named '{missing}'", name=missing)
        return plain(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", blocked)
    monkeypatch.chdir(tmp_path)
    called = gosales(*command, "--workspace", tmp_path)
    assert called.code == 2 and "gosales[ui]" in called.err
