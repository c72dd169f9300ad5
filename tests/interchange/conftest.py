"""The account of the audit's tests, which imports and exports are tried on too."""

from __future__ import annotations

from tests.audit.conftest import account, empty

__all__ = ["account", "empty"]
