"""Arguments that name a pattern, a rule or a pack."""

from __future__ import annotations

from pathlib import Path

from trailsieve.cli.pattern_argument import is_hyphenated_name, looks_like_a_name
from trailsieve.did_you_mean import did_you_mean
from trailsieve.errors import UsageError
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.rules.load import built_in, load_pack
from trailsieve.rules.rule import Pack, Rule


def named(text: str, *, limits: bool = True) -> FilterPattern | Rule | Pack:
    """The pack, file or folder with that name, the rule with that id (or PACK:ID, FILE:ID), else a pattern.

    Raises:
        PatternError: it is none of these and not a valid pattern.
        RuleError: there are mistakes in the files.
        UsageError: there is no such rule or file.
    """
    if text[:1] in ("{", "[", "%"):
        return compile(text, limits=limits)
    if _is_pack(text):
        return load_pack(text, limits=limits)
    name, _, rule_id = text.rpartition(":")
    packs = [name] if name and _is_pack(name) else list(built_in())
    loaded = [load_pack(pack, limits=limits) for pack in packs]
    rule = next((rule for pack in loaded if (rule := pack.rule(rule_id))), None)
    if rule is not None:
        return rule
    if packs == [name] or text.startswith(tuple(packs)) or looks_like_a_name(text):
        raise UsageError(f"no rule {rule_id!r} in {', '.join(packs)}; {_nearest(rule_id, loaded)}")
    if is_hyphenated_name(text):
        raise UsageError(
            f"no rule {text!r} in {', '.join(packs)}; {_nearest(text, loaded)}, "
            f"or quote it if it is a text pattern: '\"{text}\"'"
        )
    return compile(text, limits=limits)


def _is_pack(text: str) -> bool:
    return text in built_in() or text.endswith((".toml", "/")) or Path(text).is_dir()


def _nearest(rule_id: str, packs: list[Pack]) -> str:
    known = [*built_in(), *(rule.id for pack in packs for rule in pack.rules)]
    return did_you_mean(rule_id, known, 3) or "see `trailsieve rules list`"
