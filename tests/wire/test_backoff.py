"""Pauses between retries."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailsieve.wire.aws import is_retryable
from trailsieve.wire.backoff import Backoff

SECONDS = st.floats(0.01, 1000)


@given(SECONDS, SECONDS, st.integers(1, 40))
def test_upper_bounds_double_up_to_the_longest(first: float, factor: float, count: int) -> None:
    longest = first * (1 + factor)
    backoff = Backoff(first, longest)
    for number in range(count):
        upper = min(first * 2**number, longest)
        assert upper / 2 * 0.999 <= backoff.next() <= upper * 1.001
    assert backoff.failures == count


@given(SECONDS, SECONDS)
def test_the_server_decides_within_a_limit(asked: float, limit: float) -> None:
    assert Backoff(longest_asked=limit).next(asked) == min(asked, limit)


def test_a_success_starts_over() -> None:
    backoff = Backoff(1, 60)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next() <= 1


def test_a_wait_ends_when_it_is_interrupted() -> None:
    stop = threading.Event()
    assert not Backoff(0.001).wait(stop)
    stop.set()
    assert Backoff().wait(stop, asked=900)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("SlowDown", True),
        ("ThrottlingException", True),
        ("KMSThrottlingException", True),
        ("KmsThrottled", True),
        ("RequestThrottled", True),
        ("ProvisionedThroughputExceededException", True),
        ("LimitExceededException", True),
        ("OverLimit", True),
        ("InternalError", True),
        ("InternalFailure", True),
        ("RequestTimeoutException", True),
        ("ServiceUnavailable", True),
        ("AccessDenied", False),
        ("NoSuchKey", False),
        ("InvalidMessageContents", False),
        ("BatchRequestTooLong", False),
        ("EntityTooLarge", False),
        ("ExpiredToken", False),
    ],
)
def test_codes_that_mean_try_again_later(code: str, retryable: bool) -> None:
    assert is_retryable(code) is retryable
