"""What counts as an acknowledgement: only the status and body that the receiver's protocol documents.

A login page, a captive portal or a proxy's own page may answer every request with status 200, and store
nothing. Since it may go away again, such an answer is retried.
"""

from __future__ import annotations

from trailsieve.wire.http import HttpResponse

_BEGINNINGS = (b"<!doctype", b"<html")


class NotAcknowledgedError(Exception):
    """A successful status without an acknowledgement; the message says what is missing."""


def reject_web_page(response: HttpResponse) -> None:
    """Raises NotAcknowledgedError if a successful response is a web page."""
    if succeeded(response) and _is_web_page(response):
        raise NotAcknowledgedError("a web page is not an acknowledgement")


def require_status(status: int, response: HttpResponse) -> None:
    """Raises NotAcknowledgedError if a successful response has another status than the documented one."""
    reject_web_page(response)
    if succeeded(response) and response.status != status:
        raise NotAcknowledgedError(f"an acknowledgement has status {status}")


def require_json(response: HttpResponse) -> None:
    """Raises NotAcknowledgedError if a successful response is not a JSON object."""
    reject_web_page(response)
    if succeeded(response) and not response.is_json_object:
        raise NotAcknowledgedError("an acknowledgement is a JSON object")


def succeeded(response: HttpResponse) -> bool:
    """Returns whether the status is 2xx."""
    return 200 <= response.status < 300


def _is_web_page(response: HttpResponse) -> bool:
    kind = response.headers.get("content-type", "").lower()
    begins = response.body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()[:9].lower()
    return "text/html" in kind or "application/xhtml" in kind or begins.startswith(_BEGINNINGS)
