"""An investigation as one HTML file: `write` for a path, `render` for its bytes.

The page needs no network and no other file: styles, scripts and data are in it, and its
Content-Security-Policy allows nothing else. Texts from logs are escaped by Jinja, or sent as data and
shown as text nodes. What a page of 2 MB cannot hold is counted on it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from trailsieve import private_file
from trailsieve.errors import counted, visible_lines
from trailsieve.investigation.model import Investigation
from trailsieve.report import attack, columns, shown
from trailsieve.report.explained import explained
from trailsieve.report.mapped import bounded, mapped
from trailsieve.report.redact import Kind, redacted

_SIZE = 2_000_000  # bytes that a page should not exceed
_SCRIPTS = ("dom", "data", "state", "export", "tables", "charts", "grids", "alerts", "main")
_UPLOT = "vendor/uPlot-1.6.32"


def write(investigation: Investigation, path: Path, redact: Collection[Kind] = ()) -> None:
    """Writes the page, readable by its owner only.

    Raises:
        OSError: the file cannot be written.
    """
    private_file.write(path, render(investigation, redact))


def render(investigation: Investigation, redact: Collection[Kind] = ()) -> bytes:
    """The page as UTF-8.

    Args:
        redact: what to replace by pseudonyms everywhere: `keys`, `ips`, `principals`.
    """
    counts = columns.without_kept(investigation)
    investigation = msgspec.structs.replace(investigation, counts=counts)
    whys = explained(investigation.alerts, {rule.rule: rule.pattern for rule in investigation.fired})
    investigation, whys = mapped(redacted(investigation, whys, redact), bounded)
    table, order = columns.columns(investigation)
    alerts = [investigation.alerts[place] for place in order]
    explanations = list(dict.fromkeys(why.lines for why in whys if why))
    details = [
        columns.detail(alert, why, explanations.index(why.lines) if why else -1)
        for alert, why in zip(alerts, (whys[place] for place in order), strict=True)
    ]
    found = attack.techniques(investigation.fired)
    data = shown.data(investigation, table, found) | {
        "explanations": msgspec.to_builtins(explanations),
        "order": (by_severity := columns.most_severe_first(alerts)),
        "chunk": columns.CHUNK,
    }
    names = {"redact": tuple(redact), "techniques": found, "inv": investigation, "data": columns.packed(data)}
    without_records = _filled(names | {"chunks": [], "left_out": _left_out(investigation, 0)})
    chunks, kept = _chunks(details, by_severity, _SIZE - len(without_records))
    return _filled(names | {"chunks": chunks, "left_out": _left_out(investigation, kept)})


def _chunks(details: list[dict[str, Any]], order: list[int], room: int) -> tuple[list[str], int]:
    """The details of alerts, compressed some at a time, until the room is used up; and how many there are."""
    chunks, kept = [], 0
    for start in range(0, len(order), columns.CHUNK):
        places = order[start : start + columns.CHUNK]
        chunk = columns.packed([[place, details[place]] for place in places])
        room -= len(chunk) + 100
        if room < 0:
            break
        chunks.append(chunk)
        kept += len(places)
    return chunks, kept


def _left_out(investigation: Investigation, kept: int) -> list[str]:
    """What the page does not hold, in sentences."""
    found = []
    by_minute = sum(each.count for each in investigation.counts)
    if by_minute:
        found.append(
            f"{counted(by_minute, 'alert')} of {investigation.alert_count:,} are counted by minute only."
        )
    without = len(investigation.alerts) - kept
    if without > 0:
        found.append(f"{counted(without, 'alert')} are listed without records, to keep this page small.")
    if found:
        found.append("trailsieve replay … --format jsonl prints every alert with its records.")
    return found


def _filled(names: dict[str, Any]) -> bytes:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trailsieve", "report"),
        autoescape=True,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= shown.HELPERS
    style, script = _style(), _script()
    policy = (
        f"default-src 'none'; connect-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    template = environment.get_template("page.html.j2")
    page = template.render(style=style, script=script, policy=policy, **names)
    return page.encode("utf-8", "replace")


def _finalize(value: Any) -> Any:
    return visible_lines(value) if type(value) is str else value


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


@cache
def _style() -> str:
    return f"{_read(f'{_UPLOT}.min.css')}\n{_read('page.css')}"


@cache
def _script() -> str:
    """UPlot and the page's modules as one script: without imports and exports, in this order."""
    modules = (_read(f"scripts/{name}.js") for name in _SCRIPTS)
    joined = "\n".join(
        re.sub(r"^import .*;\n|^export ", "", module, flags=re.MULTILINE) for module in modules
    )
    return f"/*! {_read('vendor/LICENSE')} */\n{_read(f'{_UPLOT}.iife.min.js')}\n{joined}"
