from __future__ import annotations

from tests.ui.conftest import demo, made

__all__ = ["demo", "made"]
