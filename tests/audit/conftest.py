"""One moto for all tests of the audit; each test begins with an empty account."""

from __future__ import annotations

import urllib.request

import pytest

from tests.audit.account import Account
from tests.servers.moto import ENVIRONMENT, Moto

_NEVER = "1000000000"  # requests after which permissions are checked


def post(server: Moto, path: str, body: str = "") -> None:
    """Tells moto itself something."""
    plain = {"Content-Type": "text/plain"}
    request = urllib.request.Request(f"{server.url}/moto-api/{path}", body.encode(), plain, method="POST")
    urllib.request.urlopen(request, timeout=30).close()


@pytest.fixture
def empty(audited_moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with nothing in it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    post(audited_moto, "reset-auth", _NEVER)
    post(audited_moto, "reset")
    return Account(audited_moto)


@pytest.fixture
def account(empty: Account) -> Account:
    """An account in which every control is met."""
    empty.build()
    return empty


@pytest.fixture
def small(empty: Account) -> Account:
    """An account in which the first two controls are met: quicker to build."""
    empty.build(2)
    return empty
