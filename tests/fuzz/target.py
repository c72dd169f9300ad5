"""What the fuzzer runs on each input, and the inputs that it starts from. Needs no atheris.

The first byte of an input picks the check, the rest is what it is about; NUL bytes separate the parts.
"""

from __future__ import annotations

import json
import linecache
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.laws import by_interpreter, by_matcher, check_json, check_meaning, check_text
from trailsieve import jsontext
from trailsieve.engine.decode import Decoded
from trailsieve.errors import PatternError
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.nodes import JsonPattern

VECTORS = Path(__file__).parents[2] / "grammar" / "vectors"


def check_any_text(data: bytes) -> None:
    """Bytes that are no UTF-8 become lone surrogates: Python strings can hold them."""
    check_text(data.decode("utf-8", "surrogateescape"), limits=True)


def check_pattern_on_message(data: bytes) -> None:
    pattern, _, message = data.partition(b"\0")
    found = _compiled(pattern)
    if found is not None:
        check_meaning(found, message.decode("utf-8", "replace"))
        assert found.matches(message) is found.matches(message.decode("utf-8", "replace"))


def check_file(data: bytes) -> None:
    """Two patterns, the size of a block, and a file: all records are found that are there, in any blocks."""
    first, second, size, file = (*data.split(b"\0", 3), b"", b"", b"", b"")[:4]
    patterns = [found.tree for found in map(_compiled, (first, second)) if found is not None]
    trees = [tree for tree in patterns if isinstance(tree, JsonPattern)]
    texts = [text for _, text in Decoded("trail.json", file).texts()]
    wanted = by_interpreter(trees, texts)
    assert by_matcher(trees, file)[0] == wanted
    assert by_matcher(trees, file, block=int.from_bytes(size[:1], "little"))[0] == wanted


def check_json_text(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        check_json(text)
    except RecursionError:
        jsontext.decode_object(text)  # too deep for Python's own decoder, never for ours


CHECKS: dict[bytes, Callable[[bytes], None]] = {
    b"t": check_any_text,
    b"m": check_pattern_on_message,
    b"f": check_file,
    b"j": check_json_text,
}


def check(data: bytes) -> None:
    """Runs the check that the first byte picks; any byte picks one."""
    found = CHECKS.get(data[:1]) or list(CHECKS.values())[sum(data[:1]) % len(CHECKS)]
    try:
        found(data[1:])
    finally:
        linecache.clearcache()  # the sources of compiled patterns


def _compiled(data: bytes) -> FilterPattern | None:
    try:
        return compile(data.decode("utf-8", "replace"), limits=False)
    except PatternError:
        return None


def seeds() -> Iterator[bytes]:
    """The conformance vectors, in the shape of each check."""
    for path in sorted(VECTORS.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            vector = json.loads(line)
            pattern, message = vector["pattern"].encode(), vector["message"].encode()
            yield b"t" + pattern
            yield b"m" + pattern + b"\0" + message
            if path.stem == "json":
                yield b"j" + message
                file = b'{"Records":[' + message + b"," + message + b"]}"
                yield b"f" + b"\0".join([pattern, b'{ $.a = "x" }', b"\x10", file])
