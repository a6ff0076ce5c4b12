"""The trained workspace of the models' tests."""

from tests.models.conftest import copied, trained

__all__ = ["copied", "trained"]
