"""Servers that the tests of streams share; each test has its own bucket, queue or topic."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import moto as moto_server


@pytest.fixture(scope="session")
def moto() -> Iterator[moto_server.Moto]:
    """S3, SQS, SNS and STS of moto."""
    with moto_server.running() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in moto_server.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield server
