"""Rules over an archive, whose alerts go to a function instead of a sink."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from trailsieve.app.build import replay
from trailsieve.engine.pipeline import Pipeline
from trailsieve.errors import UsageError
from trailsieve.model import Alert, Problem
from trailsieve.ports import RunContext, Source
from trailsieve.rules.rule import Rule
from trailsieve.sources.files import FilesSource, list_files
from trailsieve.trail.selection import ListedFile, Selection


@dataclass(frozen=True, slots=True)
class Archive:
    """Files of events that can be read again and again."""

    files: Sequence[ListedFile]
    selection: Selection
    context: RunContext

    @classmethod
    def open(cls, inputs: Sequence[str], selection: Selection, max_object_size: int) -> Archive:
        """Returns the selected files of these files and folders.

        Raises:
            UsageError: an input does not exist, or nothing is selected.
        """
        files = selection.files(list_files(inputs), lambda reason: None)
        if not files:
            raise UsageError(f"nothing to read in {', '.join(inputs)}")
        return cls(files, selection, RunContext(max_object_size=max_object_size))

    def source(self) -> FilesSource:
        """Returns a source of all events."""
        return FilesSource(self.files, self.context, self.selection)


@dataclass(frozen=True, slots=True)
class _CallbackSink:
    take: Callable[[Alert], None]
    overwrites: ClassVar[bool] = False

    def deliver(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            self.take(alert)

    def check(self) -> str:
        return "calls a function"

    def close(self) -> None:
        """Nothing to release."""


def simulate(
    rules: Sequence[Rule],
    source: Source,
    take: Callable[[Alert], None],
    on_problem: Callable[[Problem], None] = lambda problem: None,
    context: RunContext | None = None,
) -> Pipeline:
    """Runs rules over a source, calls `take` with each alert, and returns the pipeline with its counts."""
    pipeline = replay(rules, source, [_CallbackSink(take)], context or RunContext(), [on_problem])
    pipeline.run()
    return pipeline
