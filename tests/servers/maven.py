"""Jars of servers, fetched by Maven once and kept in ~/.cache/trailsieve."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.servers.unavailable import UnavailableError

CACHE = Path.home() / ".cache/trailsieve"


def jars(name: str, pom: str, java: str) -> Path:
    """The folder of the jars that a pom of this folder asks for.

    Args:
        name: of the folder, with the version.
        java: the program that the server needs, `java` or `javac`.

    Raises:
        UnavailableError: there is no Java or no Maven, or Maven could not fetch them.
    """
    if not shutil.which(java):
        package = "default-jre-headless" if java == "java" else "default-jdk-headless"
        raise UnavailableError(f"{name} needs {java} 17 or newer; on Debian: apt install {package}")
    folder = CACHE / name
    if not folder.is_dir():
        if not shutil.which("mvn"):
            raise UnavailableError(f"{name} is fetched by Maven; on Debian: apt install maven")
        part = folder.with_name(f"{name}.part")
        shutil.rmtree(part, ignore_errors=True)
        done = subprocess.run(
            [
                *(
                    "mvn",
                    "-q",
                    "-B",
                    "-f",
                    str(Path(__file__).with_name(pom)),
                    "dependency:copy-dependencies",
                ),
                *("-DincludeScope=runtime", f"-DoutputDirectory={part}"),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise UnavailableError(f"Maven could not fetch {name}: {done.stdout[-500:]}")
        part.replace(folder)
    return folder
