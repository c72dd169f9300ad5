"""Draws `railroad.html`: the grammar of filter patterns as railroad diagrams.

    python grammar/draw_railroad.py            writes grammar/railroad.html
    python grammar/draw_railroad.py --check    checks that it is up to date (exit code 1 if not)

The diagrams are made from the grammar that the parser uses, `trailsieve.pattern.grammar`, with `pyparsing.diagram`.
For readers, an element gets the name of its production in `filter-pattern.ebnf` (`json_pattern` is `JsonPattern`),
elements that only steer the parser are left out, and the regular expression of each token is replaced by its entry in
`TOKENS`. The script stops at a token without one, for instance because its expression was changed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from html import escape
from io import StringIO
from pathlib import Path

import pyparsing as pp
from pyparsing.diagram import NamedDiagram, to_railroad

from trailsieve.pattern import grammar
from trailsieve.pattern.actions import SELECTOR_STEP

TARGET = Path(__file__).with_name("railroad.html")


class Mark(pp.Token):
    """Literal text of a pattern."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def _generateDefaultName(self) -> str:
        return self.text


class Prose(Mark):
    """A description in words instead of literal text."""

    def _generateDefaultName(self) -> str:
        return PROSE + self.text


PROSE = "\N{LEFT-POINTING ANGLE BRACKET}"


def row(*parts: pp.ParserElement | str) -> pp.ParserElement:
    """Parts from left to right. Converters keep pyparsing from stacking them."""
    return pp.And([pp.TokenConverter(mark(part)) for part in parts])


def choice(*options: pp.ParserElement | str) -> pp.ParserElement:
    """Options below each other. pyparsing counts no repetition as an option, so each stands in a row."""
    drawn = [mark(option) for option in options]
    return pp.MatchFirst([row(one) if isinstance(one, pp.ParseElementEnhance) else one for one in drawn])


def mark(part: pp.ParserElement | str) -> pp.ParserElement:
    return Mark(part) if isinstance(part, str) else part


def in_quotes(content: str) -> pp.ParserElement:
    return choice(Prose(content), row("\\", Prose("any character but a line break")))


NAME_CHARACTER = choice(Prose("letter"), Prose("digit"), "_", "-")
NAMED_STEP = choice(row(".", pp.OneOrMore(NAME_CHARACTER)), ".*", row(".['", Prose("key without '"), "']"))
DIGITS = pp.OneOrMore(Prose("digit"))

# How the regular expression of each token is drawn.
TOKENS: dict[str, pp.ParserElement] = {
    r'"(?:[^"\\]|\\.)*"': row('"', pp.ZeroOrMore(in_quotes('any character but " and \\')), '"'),
    r"%[^%]*%": row("%", pp.OneOrMore(Prose("characters of a regex")), "%"),
    r"[\w.*+\-]+": choice(
        row(
            pp.Optional(choice("+", "-")),
            choice(row(DIGITS, pp.Optional(row(".", pp.ZeroOrMore(Prose("digit"))))), row(".", DIGITS)),
            pp.Optional(row(choice("e", "E"), pp.Optional(choice("+", "-")), DIGITS)),
        ),
        pp.OneOrMore(choice(Prose("letter"), Prose("digit"), "_", ".", "*", "-")),
    ),
    r"<=|>=|!=|=(?!=)|<|>": choice("=", "!=", "<", "<=", ">", ">="),
    rf"\$(?:\.[\w-]+|\.\*|\.\['[^']+'\])(?:{SELECTOR_STEP})*": row(
        "$", NAMED_STEP, pp.ZeroOrMore(choice(NAMED_STEP, row("[", DIGITS, "]"), "[*]"))
    ),
    r"[-?]": choice("-", "?"),
    r"[\w.=]+": pp.OneOrMore(choice(Prose("letter"), Prose("digit"), "_", ".", "=")),
    r"[^\W\d][\w-]*": row(choice(Prose("letter"), "_"), pp.ZeroOrMore(NAME_CHARACTER)),
}

# What the page says beside a diagram.
NOTES = {
    "JsonPattern": "The braces are the first and the last character. Rules 22 to 48.",
    "Expression": "<code>&amp;&amp;</code> binds tighter than <code>||</code>. Rule 43.",
    "Comparison": "<code>&lt; &lt;= &gt; &gt;=</code> need a number. Rules 26 to 42.",
    "TypeTest": "Case-insensitive. Rules 27, 28, 47.",
    "AbsenceTest": "Case-insensitive. Rules 30 and 46.",
    "Selector": "At most one wildcard, <code>[*]</code> or <code>.*</code>. Rules 24, 25, 44, 45.",
    "RegexPattern": "Found anywhere in the event. Rules 16 to 20.",
    "TextPattern": "Without terms it matches every event. Rules 3 and 7 to 16.",
    "TextTerm": "Right after its <code>-</code> or <code>?</code>; blanks around a quoted term. Rules 11, 12, 14.",
    "Word": "Rule 10.",
    "DelimitedPattern": "Rules 49 to 59.",
    "Column": "May be empty; <code>...</code> and each name at most once. Rules 52, 53, 57.",
    "FieldCondition": "One name per column. Rule 56.",
    "FieldTerm": "<code>&lt; &lt;= &gt; &gt;=</code> need a number. Rules 55 and 59.",
    "Value": "Rules 33 to 42.",
    "Quoted": '<code>\\"</code> and <code>\\\\</code> escape; <code>*</code> is a wildcard in a value, not in a term. '
    "Rules 9, 15, 39, 42.",
    "Regex": "Its syntax: <code>Alternatives</code> in the EBNF. Rules 17 to 20.",
    "Bare": "A number, or text; not the word <code>null</code>. Rules 33, 34, 39 to 41.",
}

SECTIONS = (
    ("JSON patterns", "json_pattern", "A condition on the fields of an event that is one JSON object."),
    ("Regular expressions", "regex_pattern", "A search in the text of the event."),
    ("Text patterns", "text_pattern", "Terms that the text of the event contains, or does not."),
    (
        "Space-delimited patterns",
        "delimited_pattern",
        "Names for the words of a line, and conditions on them.",
    ),
)
SHARED = ("Operator", "Value", "Quoted", "Regex", "Bare")


def production(variable: str) -> str:
    """`json_pattern` -> `JsonPattern`."""
    return "".join(word.capitalize() for word in variable.split("_"))


class Readable:
    """Turns elements of the grammar into elements to draw; always the same one for the same element."""

    def __init__(self) -> None:
        self.names = {
            id(element): production(variable)
            for variable, element in vars(grammar).items()
            if isinstance(element, pp.ParserElement) and not variable.startswith("_")
        }
        self.done: dict[int, pp.ParserElement] = {}

    def __call__(self, element: pp.ParserElement) -> pp.ParserElement:
        key = id(element)
        if key not in self.done:
            if isinstance(element, pp.Forward):
                self.done[key] = forward = pp.Forward()
                forward <<= self.convert(element)
                forward.set_name(self.names[key])
            else:
                drawn = self.convert(element)
                named = key in self.names and not isinstance(drawn, Mark)
                self.done[key] = drawn.set_name(self.names[key]) if named else drawn
        return self.done[key]

    def convert(self, element: pp.ParserElement) -> pp.ParserElement:
        match element:
            case pp.CaselessKeyword() | pp.Literal():
                return Mark(element.match)
            case pp.Regex():
                return TOKENS[element.pattern]
            case pp.Forward() if isinstance(element.expr, pp.ParserElement):
                return self.convert(element.expr)
            case pp.Suppress():
                return self(element.expr)
            case pp.ZeroOrMore():
                return pp.ZeroOrMore(self(element.expr))
            case pp.Opt():
                return pp.Optional(self(element.expr))
            case pp.MatchFirst():
                return self.match_first(element)
            case pp.And():
                parts = list(self.parts(element))
                return parts[0] if len(parts) == 1 else row(*parts)
        raise TypeError(f"cannot draw {element!r}")

    def match_first(self, element: pp.MatchFirst) -> pp.ParserElement:
        options = [self(option) for option in element.exprs if not _is_empty(option)]
        drawn = choice(*options)
        return pp.Optional(drawn) if len(options) < len(element.exprs) else drawn

    def parts(self, element: pp.And) -> Iterable[pp.ParserElement]:
        for part in element.exprs:
            if _steers_only(part):
                continue
            if isinstance(part, pp.And) and id(part) not in self.names:
                yield from self.parts(part)
            else:
                yield self(part)


def _is_empty(element: pp.ParserElement) -> bool:
    return type(element) is pp.Empty


def _steers_only(element: pp.ParserElement) -> bool:
    inner = element.expr if isinstance(element, pp.Suppress) else element
    return isinstance(inner, pp.FollowedBy | pp.StringEnd | pp.And._ErrorStop)


def svg(diagram: NamedDiagram) -> str:
    """The diagram, with descriptions distinct from literal text."""
    out = StringIO()
    diagram.diagram.writeSvg(out.write)
    text = re.sub(r'#([a-z]+)-[0-9]+"', r'#\1"', out.getvalue())
    text = text.replace("xlink:href", "href")
    return re.sub(
        rf'class="terminal "(>(?:(?!<text).)*<text[^>]*>){PROSE}', r'class="prose"\1', text, flags=re.DOTALL
    )


def figure(diagram: NamedDiagram) -> str:
    note = NOTES.get(diagram.name, "")
    caption = f"<figcaption>{note}</figcaption>" if note else ""
    return f'<figure id="{diagram.name.lower()}"><h3>{diagram.name}</h3>{caption}\n{svg(diagram)}</figure>'


def page() -> str:
    """The whole page."""
    readable = Readable()
    drawn: dict[str, str] = {}
    sections: list[tuple[str, str, list[str]]] = []
    for title, variable, intro in SECTIONS:
        figures = []
        for diagram in to_railroad(readable(getattr(grammar, variable)), vertical=2):
            if diagram.name not in drawn:
                drawn[diagram.name] = figure(diagram)
                figures.append(diagram.name)
        sections.append((title, intro, figures))
    shared = [name for name in SHARED if name in drawn]
    body = [
        section(title, intro, [drawn[name] for name in names if name not in shared])
        for title, intro, names in sections
    ]
    body.append(section("Values", "Parts that several languages share.", [drawn[name] for name in shared]))
    return PAGE.format(
        contents="".join(f'<li><a href="#{anchor(title)}">{title}</a></li>' for title in _titles()),
        body="\n".join(body),
    )


def _titles() -> list[str]:
    return [*(title for title, _, _ in SECTIONS), "Values"]


def anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def section(title: str, intro: str, figures: list[str]) -> str:
    heading = f'<section>\n<h2 id="{anchor(title)}">{escape(title)}</h2>\n<p>{escape(intro)}</p>\n'
    return heading + "\n".join(figures) + "\n</section>"


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Filter patterns as railroad diagrams</title>
<style>
:root {{ color-scheme: light; }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1c2733; background: #fff; max-width: 76rem;
       margin: 2rem auto; padding: 0 1.5rem; }}
h1 {{ font-size: 1.7rem; margin-bottom: .3rem; }}
h2 {{ font-size: 1.3rem; margin: 2.5rem 0 .2rem; border-bottom: 2px solid #d5dde5; }}
h3 {{ font: 600 1rem ui-monospace, monospace; margin: 0; }}
nav ul {{ padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; }}
a {{ color: #0b5cad; }}
code {{ font: .9em ui-monospace, monospace; background: #eef2f6; padding: 0 .25em; border-radius: 3px; }}
figure {{ margin: 1.2rem 0; overflow-x: auto; }}
figcaption {{ font-size: .9rem; color: #4b5a69; }}
figure:target h3 {{ background: #fff3bf; }}
.key span {{ display: inline-block; border: 1.5px solid #1c2733; padding: 0 .6em; margin-right: .4em;
            font: .9rem ui-monospace, monospace; }}
.key .mark {{ border-radius: 1em; background: #e2f4e4; }}
.key .name {{ background: #e4eefb; }}
.key .words {{ border-radius: 1em; background: #fff; border-style: dashed; font-style: italic; }}
svg.railroad-diagram path {{ stroke-width: 1.5; stroke: #1c2733; fill: none; }}
svg.railroad-diagram text {{ font: 14px ui-monospace, monospace; text-anchor: middle; fill: #1c2733; }}
svg.railroad-diagram rect {{ stroke-width: 1.5; stroke: #1c2733; fill: #e4eefb; }}
svg.railroad-diagram .terminal rect {{ fill: #e2f4e4; }}
svg.railroad-diagram .terminal text {{ font-weight: 600; }}
svg.railroad-diagram .prose rect {{ fill: #fff; stroke-dasharray: 4 3; }}
svg.railroad-diagram .prose text {{ font-style: italic; }}
svg.railroad-diagram a text {{ fill: #0b5cad; text-decoration: underline; }}
</style>
</head>
<body>
<h1>Filter patterns as railroad diagrams</h1>
<p>The four languages of CloudWatch Logs filter patterns, as trailsieve parses them. Follow a line from left to
right: the elements along it make up a pattern. Blanks are allowed between elements, but not inside tokens.
The exact grammar is <a href="filter-pattern.ebnf">filter-pattern.ebnf</a>, the meaning and the rules by number
are in <a href="semantics.md">semantics.md</a>.</p>
<p class="key"><span class="mark">text</span>literal text &ensp;
<span class="words">words</span>described in words &ensp;
<span class="name">Name</span>another diagram</p>
<nav><ul>{contents}</ul></nav>
{body}
</body>
</html>
"""


def main(arguments: list[str]) -> int:
    """Writes or checks the page; returns the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    text = page()
    if not arguments:
        TARGET.write_text(text, "utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text("utf-8") == text:
        return 0
    print("grammar/railroad.html is stale: run python grammar/draw_railroad.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
