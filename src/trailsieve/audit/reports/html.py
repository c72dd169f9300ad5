"""The audit as one HTML file, with a diagram of the chain for each control.

The page needs no script, no network and no other file, and its Content-Security-Policy forbids them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from trailsieve.audit.chains import not_examined
from trailsieve.audit.model import ControlResult
from trailsieve.audit.reports.text import KINDS, MARKS, WORDS, by_account
from trailsieve.errors import visible_lines


def page(results: Sequence[ControlResult], now: datetime) -> str:
    """The whole page; text from AWS is escaped, and its control characters are replaced."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trailsieve.audit", "reports"),
        autoescape=True,
        finalize=_finalize,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    names: dict[str, Any] = {"marks": MARKS, "words": WORDS, "kinds": KINDS, "anchor": _anchor}
    environment.globals |= {**names, "not_examined": not_examined}
    accounts = list(by_account(results).items())
    return environment.get_template("page.html.j2").render(results=results, accounts=accounts, now=now)


def _finalize(value: Any) -> Any:
    return visible_lines(value) if type(value) is str else value


def _anchor(result: ControlResult) -> str:
    return f"a{result.account}-{result.control}"
