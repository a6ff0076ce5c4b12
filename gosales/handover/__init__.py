"""The list in other people's tools: CRM imports, a workbook, a database."""

from __future__ import annotations

from gosales.handover.publish import PublishReport, publish
from gosales.handover.stage import HandoverReport, hand_over

__all__ = ["HandoverReport", "PublishReport", "hand_over", "publish"]
