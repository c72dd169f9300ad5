"""From generated source to a function that a debugger can show."""

from __future__ import annotations

import builtins
import linecache
from collections.abc import Callable
from inspect import isfunction
from itertools import count
from typing import Any

from trailsieve.pattern import runtime
from trailsieve.pattern.codegen import FUNCTION, Generated
from trailsieve.pattern.delimited import columns
from trailsieve.pattern.regex import searcher

_numbers = count(1)
_VOCABULARY = {name: value for name, value in vars(runtime).items() if isfunction(value)}


def load(generated: Generated, name: str = "filter pattern") -> Callable[..., Any]:
    """The function of generated source; `linecache` shows the source in tracebacks and debuggers."""
    filename = f"<{name} {next(_numbers)}>"
    namespace: dict[str, Any] = dict(
        _VOCABULARY, ABSENT=runtime.ABSENT, columns=columns, str=str, __builtins__={}
    )
    namespace.update(generated.constants)
    namespace.update({name: searcher(source) for name, source in generated.regexes.items()})
    exec(builtins.compile(generated.source, filename, "exec"), namespace)  # noqa: S102 - the laws of codegen
    linecache.cache[filename] = (len(generated.source), None, generated.source.splitlines(True), filename)
    return namespace[FUNCTION]  # type: ignore[no-any-return]
