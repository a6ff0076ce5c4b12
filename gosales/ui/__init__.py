"""The web app: reads artifacts, never computes a model, and asks nothing of anyone but itself."""

from __future__ import annotations

from gosales.ui.server import serve

__all__ = ["serve"]
