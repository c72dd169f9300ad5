"""Text patterns, regexes and queries as people write them who know another language, and what they meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trailsieve.errors import UnclearError
from trailsieve.pattern import lenient, nodes
from trailsieve.pattern.lenient_tokens import plain_regex
from trailsieve.pattern.operators import Operator
from trailsieve.pattern.stars import as_regex

XML_ESCAPE = re.compile(r"&(?:amp|quot|lt|gt|apos|#\d+);")
_COMMAND = re.compile(r"\|?\s*(fields|filter|sort|stats|limit|display|parse|dedup)\b", re.IGNORECASE)
_QUERY = re.compile(
    r"\s*(?:(?:fields|display|parse)\s+@?\w.*[|@]|filter\s+@?[\w.]+\s+\S|stats\s+\w+\()",
    re.IGNORECASE | re.DOTALL,
)
_LIKE = re.compile(
    r"""@message\s+(not\s+)?(?:like|=~)\s+(?:/((?:[^/\\]|\\.)+)/(i?)|"([^"]*)"|'([^']*)')\s*""", re.IGNORECASE
)
_AND = re.compile(r"\s+and\s+(?=@message\b)", re.IGNORECASE)
_PLAIN_REGEX = re.compile(r"[\w :,=/-]+")
_MESSAGE = re.compile(r"@(?:message|timestamp|logStream|log|ptr|ingestionTime)\b")
_TERM = re.compile(
    r"""(?P<join>&&|\|\|?|[&+](?=\s)|\b(?:AND|OR)\b)|(?P<mark>!|-|\?|\bNOT\b\s*)?"""
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|“(?P<curly>[^”]*)”|`(?P<tick>[^`]*)`"""
    r"""|%(?P<regex>[^%]+)%|(?P<word>[^\s"'|&]+))"""
)
_PLAIN = re.compile(r"[\w.]+")
_GROUP = re.compile(r"(?<!\S)\(([^()]*)\)(?!\S)")  # of terms of which one is enough
_REGEX_TERM = re.compile(r"(?<!\S)%([^%]+)%(?!\S)(?:\s+(?:&&|AND\b))?")
_ROLES: dict[str, nodes.TermRole] = {"-": "excluded", "!": "excluded", "NOT": "excluded", "?": "optional"}


def is_query(text: str) -> bool:
    """Whether a text is a query of CloudWatch Logs Insights."""
    return _QUERY.match(text) is not None


def read_query(text: str) -> nodes.Pattern:
    """The pattern for the conditions of a Logs Insights query.

    Raises:
        UnclearError: there is none.
    """
    filters = [part for found in _filters(text) for part in _AND.split(found)]
    if len(filters) == 1 and (found := _LIKE.fullmatch(filters[0])):
        plain = found[4] or found[5]
        if found[1]:
            return nodes.TextPattern((_message_term(filters[0]),))
        if plain:
            return nodes.TextPattern((nodes.TextTerm(plain, "required", True),))
        return nodes.RegexPattern(nodes.Regex(plain_regex(found[2], found[3])))
    if len(filters) > 1 and all(map(_LIKE.fullmatch, filters)):
        return nodes.TextPattern(tuple(_message_term(condition) for condition in filters))
    if not filters or any(_MESSAGE.search(condition) for condition in filters):
        raise UnclearError
    return nodes.JsonPattern(lenient.read(" && ".join(f"({condition})" for condition in filters)))


def _message_term(condition: str) -> nodes.TextTerm:
    found = _LIKE.fullmatch(condition)
    text = found and (found[4] or found[5] or found[2])
    if not found or not text or found[3] or (found[2] and not _PLAIN_REGEX.fullmatch(text)):
        raise UnclearError("terms cannot be combined with a regex")
    return nodes.TextTerm(text, "excluded" if found[1] else "required", True)


def _filters(text: str) -> list[str]:
    commands = list(_COMMAND.finditer(text))
    ends = [found.start() for found in commands[1:]] + [len(text)]
    return [
        text[found.end() : end].strip()
        for found, end in zip(commands, ends, strict=True)
        if found[1].lower() == "filter"
    ]


def read(text: str) -> nodes.Pattern:
    """The pattern for a regex, terms or both.

    Raises:
        UnclearError: there is none.
    """
    if flagged := re.fullmatch(r"\(\?i\)(\S+)", text):
        return read_regex(f"/{flagged[1]}/i")
    is_regex = re.match(r"%|/(?:[^/\\]|\\.)+/[a-z]{0,3}\Z", text)
    return read_regex(text) if is_regex else read_terms(text)


def read_regex(text: str) -> nodes.Pattern:
    """One regex for what stands between percent signs or slashes.

    Raises:
        UnclearError: there is none.
    """
    if found := re.fullmatch(r"%([^%]+)%([a-z]*)|/((?:[^/\\]|\\.)+)/([a-z]*)", text.strip()):
        return nodes.RegexPattern(nodes.Regex(plain_regex(found[1] or found[3], found[2] or found[4] or "")))
    if found := re.fullmatch(r"%([^%]+)%\s*(\|\|?|OR|&&?|AND)?\s*%([^%]+)%", text.strip()):
        one, other = plain_regex(found[1]), plain_regex(found[3])
        either = (found[2] or "").startswith(("|", "O"))
        return nodes.RegexPattern(
            nodes.Regex(f"{one}|{other}" if either else f"{one}.*{other}|{other}.*{one}")
        )
    if _REGEX_TERM.search(text):
        return read_terms(text)
    raise UnclearError


def read_terms(text: str) -> nodes.Pattern:
    """A text pattern for terms with other operators and quotes.

    Raises:
        UnclearError: there is none.
    """
    text, regexes = _without_parentheses(text), []
    if group := _GROUP.search(text):
        inner = _terms(group[1])
        text = f"{text[: group.start()]} {text[group.end() :]}"
        text = re.sub(r"\A\s*(?:&&|AND\b)|(?:&&|\bAND)\s*\Z", "", text, flags=re.IGNORECASE)
        if any(term.role != "optional" for term in inner):
            raise UnclearError
        regexes.append(_any_of([term.text for term in inner]))
    regexes += [plain_regex(found[1]) for found in _REGEX_TERM.finditer(text)]
    text = _REGEX_TERM.sub("", text)
    terms = _terms(text) if text.strip() else ()
    return one_column(terms, regexes) if regexes else nodes.TextPattern(terms)


def one_column(terms: Sequence[nodes.TextTerm], regexes: Sequence[str] = ()) -> nodes.Pattern:
    """The pattern for lines with all required terms and regexes, an optional term and no excluded one.

    Raises:
        UnclearError: there is none.
    """
    line = nodes.Field("line")
    optional = [term.text for term in terms if term.role == "optional"]
    sources = [*regexes, *([_any_of(optional)] if optional else [])]
    found: list[nodes.Expression] = [nodes.Comparison(line, "=", nodes.Regex(source)) for source in sources]
    for term in terms:
        if "*" in term.text:
            raise UnclearError
        if term.role != "optional":
            operator: Operator = "!=" if term.role == "excluded" else "="
            found.append(nodes.Comparison(line, operator, nodes.String(f"*{term.text}*")))
    if len(found) < 2:
        raise UnclearError
    return nodes.DelimitedPattern((nodes.Column("line", nodes.And(tuple(found))),))


def _any_of(texts: Sequence[str]) -> str:
    return "|".join(as_regex(("", text, "")) for text in texts)


def _terms(text: str) -> tuple[nodes.TextTerm, ...]:
    terms, joins, place = [], set(), 0
    while place < len(text):
        found = _TERM.match(text, place)
        if not found:
            place += 1
            if not text[place - 1].isspace():
                raise UnclearError
            continue
        place = found.end()
        if found["join"]:
            joins.add("any" if found["join"][0] in "|O" else "all")
        else:
            terms.append(_term(found))
    if not terms or len(joins) > 1 or (joins == {"any"} and any(t.role == "excluded" for t in terms)):
        raise UnclearError
    if joins == {"any"}:
        terms = [nodes.TextTerm(term.text, "optional", term.quoted) for term in terms]
    return tuple(terms)


def _without_parentheses(text: str) -> str:
    text = text.strip()
    return text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text


def _term(found: re.Match[str]) -> nodes.TextTerm:
    role = _ROLES.get((found["mark"] or "").strip(), "required")
    if found["regex"]:
        raise UnclearError
    if (word := found["word"]) is None:
        content = next(
            found[name] for name in ("double", "single", "curly", "tick") if found[name] is not None
        )
        return nodes.TextTerm(content, role, not _PLAIN.fullmatch(content) or found["double"] is not None)
    word = word.strip("*")
    if not word or "*" in word or word[0] in "?-!" or word.endswith(",") or "(" in word or "$" in word:
        raise UnclearError
    return nodes.TextTerm(word, role, not _PLAIN.fullmatch(word))
