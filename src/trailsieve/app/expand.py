"""`${NAME}`, `${NAME:-default}`, `${file:PATH}`, `${secretsmanager:NAME}` and `${ssm:NAME}` in settings.

Values from the environment, files and secret stores are never printed: messages show the `${…}` instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.secret import hide

_MARK = re.compile(
    r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|\$\{(?P<where>file|secretsmanager|ssm):(?P<key>[^}]+)\}"
)
_SECRET_KEY = re.compile(r"token|secret|passw|credential|api_?key|signing|private", re.IGNORECASE)
_NO_SECRET = re.compile(r"_(path|file|url|endpoint|name|id)$", re.IGNORECASE)


class Expansion:
    """Replaces `${…}` in strings.

    Attributes:
        missing: a message for each value that could not be read.
    """

    def __init__(self) -> None:
        self.missing: list[str] = []
        self._fetched: dict[str, str] = {}  # by mark, so that each secret is fetched once

    def expand(self, value: Any, key: str = "") -> Any:
        """`value` with every `${…}` in its strings replaced, at any depth."""
        if isinstance(value, str):
            expanded = _MARK.sub(self._replace, value)
            if expanded == value and _SECRET_KEY.search(key) and not _NO_SECRET.search(key):
                hide(value, f"({key})")
            return expanded
        if isinstance(value, dict):
            return {name: self.expand(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.expand(item, key) for item in value]
        return value

    def _replace(self, mark: re.Match[str]) -> str:
        if mark["where"]:
            found = self._fetched.get(mark[0]) or self._fetch(mark[0], _READERS[mark["where"]], mark["key"])
        else:
            found = os.environ.get(mark["name"], "")
            if not found and mark["default"] is None:
                self.missing.append(f"the environment has no {mark['name']}")
        if found:
            hide(found, f"${{{mark['name']}}}" if mark["name"] else mark[0])
        return found or mark["default"] or ""

    def _fetch(self, mark: str, read: Callable[[str], str], key: str) -> str:
        try:
            self._fetched[mark] = read(key)
        except (OSError, UnicodeDecodeError) as error:
            self.missing.append(f"{mark}: {key} cannot be read: {getattr(error, 'strerror', None) or error}")
        except _UnknownError as error:
            self.missing.append(f"{mark}: {error}")
        return self._fetched.get(mark, "")


class _UnknownError(Exception):
    """A secret that could not be read; the text gives the reason and never contains a secret."""


def _from_file(path: str) -> str:
    return Path(path).read_text("utf-8").strip()


def _from_secrets_manager(name: str) -> str:
    """A secret of AWS Secrets Manager; `NAME#field` is one field of a secret that is a JSON object."""
    name, _, field = name.partition("#")
    text = str(_ask_aws("secretsmanager", "get_secret_value", SecretId=name).get("SecretString") or "")
    if not field:
        return text
    try:
        return str(jsontext.decode(text)[field])
    except (UnreadableError, KeyError, TypeError):
        raise _UnknownError(f"the secret is not a JSON object with a field {field}") from None


def _from_parameter_store(name: str) -> str:
    """A parameter of AWS Systems Manager, decrypted."""
    return str(_ask_aws("ssm", "get_parameter", Name=name, WithDecryption=True)["Parameter"]["Value"])


def _ask_aws(service: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """The response of an AWS API, called with the credentials, region and endpoint of the environment."""
    from trailsieve.wire.aws import AwsConfig, client, explained

    with explained(f"AWS {service}", _UnknownError):
        answer: dict[str, Any] = getattr(client(service, AwsConfig()), operation)(**arguments)
    return answer


_READERS: dict[str, Callable[[str], str]] = {
    "file": _from_file,
    "secretsmanager": _from_secrets_manager,
    "ssm": _from_parameter_store,
}
