"""`make fuzz`: looks for inputs that break a law, guided by what code each input reaches."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# What the language and CloudTrail files are made of; the fuzzer puts them together.
TOKENS = [
    *(
        "{ $.",
        "$.*",
        "[*]",
        ".['",
        "']",
        "[0]",
        "&&",
        "||",
        "!=",
        "<=",
        ">=",
        "IS NULL",
        "IS TRUE",
        "NOT EXISTS",
    ),
    *('"*', '*"', "%", "...", "1e400", "-0.0", "1e-999", "\\ud800", '\\"', "\\x20", "null", "true"),
    *('{"Records":[', "]}", "},{", '"a":', "]}{"),
]


def main() -> int:
    """0: nothing found; 1: an input was found, and is shown; 2: there is no atheris."""
    seconds = int(sys.argv[1])
    if not _atheris():
        return 2
    folder = Path(tempfile.mkdtemp(prefix="trailsieve-fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    from tests.fuzz.target import seeds

    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number:04}").write_bytes(seed)
    (folder / "tokens").write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS))
    print(
        f"fuzzing for {seconds} seconds from {len(list(corpus.iterdir()))} conformance vectors …", flush=True
    )
    log = folder / "log"
    with log.open("wb") as output:
        code = subprocess.run(_command(folder, seconds), stdout=output, stderr=output, check=False).returncode
    return _report(folder, log.read_text("utf-8", "replace"), code)


def _atheris() -> bool:
    try:
        importlib.import_module("atheris")
    except ImportError as error:
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"atheris cannot be imported ({error}).", file=sys.stderr)
        print(f"It is not built for every Python and system; this is Python {version}.", file=sys.stderr)
        print("Try another one: make clean && make fuzz PYTHON=python3.12", file=sys.stderr)
        return False
    return True


def _escaped(token: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token.encode())


def _command(folder: Path, seconds: int) -> list[str]:
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/found-", f"-dict={folder}/tokens"]
    limits = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=2048", "-print_final_stats=1"]
    return [sys.executable, "-m", "tests.fuzz.instrumented", str(folder / "corpus"), *options, *limits]


def _report(folder: Path, log: str, code: int) -> int:
    found = sorted(folder.glob("found-*"))
    runs = re.findall(r"number_of_executed_units: *(\d+)", log) or re.findall(r"^#(\d+)", log, re.M) or ["0"]
    edges = re.findall(r"cov: (\d+)", log) or ["0"]
    print(f"executions {int(runs[-1]):,}   branches reached {int(edges[-1]):,}   finds {len(found)}")
    if code == 0 and not found and int(runs[-1]):
        shutil.rmtree(folder)
        return 0
    start = log.find(" === Uncaught Python exception")
    print(log[start:] if start >= 0 else log[-4000:], file=sys.stderr)
    for path in found:
        print(f"found {path}: {path.read_bytes()!r}", file=sys.stderr)
        print(f"again: {sys.executable} -m tests.fuzz.instrumented {path}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
