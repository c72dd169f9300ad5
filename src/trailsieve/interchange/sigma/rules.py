"""Sigma rules as rule drafts, with title, level, tags and the losses of their patterns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailsieve.errors import UsageError, visible
from trailsieve.interchange.importers.model import text_of
from trailsieve.interchange.importers.rule_draft import RuleDraft, number_duplicates

if TYPE_CHECKING:
    from trailsieve.interchange.sigma.backend import CloudWatchFilterBackend

_SOURCE = ("aws", "cloudtrail")


def read(paths: Sequence[Path]) -> tuple[list[RuleDraft], list[str]]:
    """The drafts, and one sentence for each rule that no pattern can express.

    Raises:
        UsageError: a file is not a Sigma rule, or pySigma is not installed.
    """
    try:
        from sigma.collection import SigmaCollection
        from sigma.exceptions import SigmaError
        from yaml import YAMLError

        from trailsieve.interchange.sigma.backend import CloudWatchFilterBackend
    except ImportError:
        raise UsageError("Sigma rules require pySigma: pip install 'trailsieve[sigma]'") from None
    backend = CloudWatchFilterBackend()
    made: list[RuleDraft] = []
    unsupported: list[str] = []
    for path in _files(paths):
        try:
            collection = SigmaCollection.from_yaml(text_of(path), collect_errors=True)
        except (SigmaError, YAMLError, AttributeError, TypeError, KeyError, RecursionError) as error:
            raise UsageError(f"{path}: cannot be read as a Sigma rule: {_line(error)}") from None
        for rule in collection.rules:
            title = visible(str(rule.title or "a rule"))
            try:
                made += _drafts(rule, path, backend)
            except SigmaError as error:
                unsupported.append(f"{path}: {title}: {_line(error)}")
            except (TypeError, ValueError, AttributeError, RecursionError) as error:
                unsupported.append(f"{path}: {title}: cannot be read: {_line(error)}")
    number_duplicates(made)
    return made, unsupported


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for file in path.rglob("*") if file.suffix in (".yml", ".yaml"))
        if not inside:
            raise UsageError(f"{path}: no Sigma rule (*.yml) in this folder")
        yield from inside


def _drafts(rule: Any, path: Path, backend: CloudWatchFilterBackend) -> Iterator[RuleDraft]:
    """One draft for each condition of the rule."""
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    if rule.errors:
        raise SigmaError(_line(rule.errors[0]))
    if isinstance(rule, SigmaRule):
        source = (rule.logsource.product, rule.logsource.service)
        if source != _SOURCE:
            raise SigmaError(f"the log source is not aws/cloudtrail but {source[0]}/{source[1]}")
        backend.losses.clear()
        patterns = backend.convert_rule(rule)
    else:
        patterns = backend.convert_correlation_rule(rule)
    for pattern in patterns:
        yield RuleDraft(
            id=path.stem,
            pattern=pattern,
            origin=str(path),
            title=str(rule.title or ""),
            description=str(rule.description or "").strip(),
            more=_more(rule),
            facts=[f"Sigma rule {rule.id or rule.title} of {path}", *_facts(rule)],
            losses=list(backend.losses),
        )


def _more(rule: Any) -> dict[str, Any]:
    """Severity, tags and references."""
    found: dict[str, Any] = {}
    if rule.level:
        found["severity"] = rule.level.name.lower()
    if rule.tags:
        found["tags"] = [str(tag) for tag in rule.tags]
    if rule.references:
        found["references"] = [str(reference) for reference in rule.references]
    return found


def _facts(rule: Any) -> Iterator[str]:
    if rule.author:
        yield f"author: {rule.author}"
    if rule.status:
        yield f"status: {rule.status.name.lower()}"
    for text in rule.falsepositives or []:
        yield f"false positive: {text}"


def _line(error: BaseException) -> str:
    """The message of an error in one line."""
    return visible(" ".join(str(error).split())) or type(error).__name__
