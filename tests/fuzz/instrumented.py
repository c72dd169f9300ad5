"""The process that atheris fuzzes, with trailsieve instrumented; its arguments are libFuzzer's."""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Fuzzes, or runs the inputs that are named; it ends the process."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["trailsieve"]):
        target = importlib.import_module("tests.fuzz.target")
    atheris.Setup(sys.argv, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
