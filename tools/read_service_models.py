"""Writes the catalogue's API names and error codes from botocore's service models, without the network.

python tools/read_service_models.py            # writes calls.txt and errors.txt
python tools/read_service_models.py --check    # exit code 1 when they are not what would be written
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import botocore.session

CATALOGUE = Path(__file__).resolve().parents[1] / "src/trailsieve/trail/catalogue"


def models() -> Iterator[dict[str, Any]]:
    """The newest model of each service."""
    loader = botocore.session.get_session().get_component("data_loader")
    for service in loader.list_available_services("service-2"):
        yield loader.load_service_model(service, "service-2")


def sources(metadata: dict[str, Any]) -> set[str]:
    """The names under which CloudTrail may record a service, without `.amazonaws.com`.

    The name that requests are signed for is the rule; a few services are recorded under their endpoint's.
    """
    return {metadata.get("signingName") or metadata["endpointPrefix"], metadata["endpointPrefix"]}


def error_codes(model: dict[str, Any]) -> Iterator[str]:
    """The codes of a service's modelled errors: the name of the shape, and what goes over the wire."""
    for name, shape in model["shapes"].items():
        if shape.get("exception") or shape.get("error"):
            yield name
            yield shape.get("error", {}).get("code", name)


def tables() -> dict[str, str]:
    """The text of each file."""
    calls: dict[str, set[str]] = defaultdict(set)
    codes: set[str] = set()
    for model in models():
        for source in sources(model["metadata"]):
            calls[source.lower()].update(model["operations"])
        codes.update(error_codes(model))
    head = (
        f"# Made by tools/read_service_models.py from the service models of botocore {botocore.__version__}."
    )
    lines = [f"{source} {' '.join(sorted(names))}" for source, names in sorted(calls.items())]
    return {
        "calls.txt": "\n".join([head, *lines]) + "\n",
        "errors.txt": "\n".join([head, *sorted(codes)]) + "\n",
    }


def main() -> int:
    """Writes or checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, say whether the files are as made"
    )
    check = parser.parse_args().check
    stale = 0
    for name, text in tables().items():
        file = CATALOGUE / name
        if check and (not file.exists() or file.read_text("utf-8") != text):
            print(f"{file} is stale: run python {Path(__file__).name}", file=sys.stderr)
            stale = 1
        if not check:
            file.write_text(text, "utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
