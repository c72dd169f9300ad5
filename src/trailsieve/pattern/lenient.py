"""Reads conditions on JSON fields as people write them who know another language, and says what they meant.

It takes SQL's and JavaScript's operators, JSONPath's filters, functions, quotes of all kinds and missing
brackets. What has no meaning in filter patterns is `UnclearError`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from trailsieve.errors import UnclearError, shorten
from trailsieve.pattern import addresses, nodes
from trailsieve.pattern.lenient_tokens import Kind, Scanner, Token, in_digits
from trailsieve.pattern.operators import OPERATORS, Operator
from trailsieve.pattern.opposite import excluded, is_any
from trailsieve.pattern.regex import in_either_case
from trailsieve.pattern.stars import as_regex, class_of_numbers

_OR = re.compile(r"\|\|?|(?:or|OR|Or)\b")
_AND = re.compile(r"&&?|,|;|(?:and|AND|And)\b")
_NOT = re.compile(r"!(?![=~])|(?:not|NOT|Not)\b(?=\s*[\w($\"'!])")
_OPERATORS: dict[str, Operator] = {
    **{written: written for written in OPERATORS},
    **{"==": "=", "===": "=", ":": "=", "eq": "=", "=~": "=", "~=": "=", "~": "=", "IS": "="},
    **{"!==": "!=", "<>": "!=", "=!": "!=", "!~": "!=", "ne": "!=", "IS NOT": "!="},
    **{"=>": ">=", "=<": "<="},
    **dict.fromkeys(("is", "equals", "equal"), "="),
    **dict.fromkeys(("is not", "isn't", "not equals", "not equal"), "!="),
}
_OPERATOR = re.compile(
    r"===?|!==|=!|<>|=~|~=|!~|=>|=<|<=|>=|!=|=|<|>|~|:|(?:eq|ne|(?:not\s+)?equals?|is\s+not|isn't|is(?=\s+[\"'\d]))\b",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"(?P<isnotexists>IS\s+NOT\s+EXISTS?\b|DOES\s?N[O']T\s+EXISTS?\b|DOES\s+NOT\s+EXISTS?\b|NOT\s+EXISTS?\b)"
    r"|(?P<isexists>IS\s+EXISTS?\b|EXISTS?\b|IS\s+PRESENT\b|IS\s+NOT\s+(?:NULL|NONE|EMPTY)\b|NOT\s+NULL\b|ISNOTNULL\b)"
    r"|(?P<isnull>IS\s*NULL\b|IS\s+NONE\b)|(?P<isempty>IS\s+EMPTY\b)"
    r"|(?P<istrue>IS\s*TRUE\b)|(?P<isfalse>IS\s*FALSE\b)|(?P<isnottrue>IS\s+NOT\s+TRUE\b)|(?P<isnotfalse>IS\s+NOT\s+FALSE\b)"
    r"|(?P<nothasany>NOT\s+HAS_ANY\b)|(?P<hasany>(?:HAS|CONTAINS|LIKE)_?ANY\b|LIKE\s+ANY\b)|(?P<hasall>(?:HAS|CONTAINS)_?ALL\b)"
    r"|(?P<notin>(?:IS\s+)?NOT\s+(?:IN|(?:ONE|ANY)\s+OF)\b)|(?P<isin>(?:IS\s+)?(?:IN|(?:ONE|ANY)\s+OF)\b)|(?P<between>BETWEEN\b)"
    r"|(?P<notilike>NOT\s+ILIKE\b)|(?P<ilike>ILIKE\b)"
    r"|(?P<notlike>(?:NOT\s+|DOES\s+NOT\s+)(?:LIKE|CONTAINS?|MATCH(?:ES)?)\b)"
    r"|(?P<like>LIKE\b|CONTAINS?\b|INCLUDES?\b|HAS\b|MATCH(?:ES)?\b)"
    r"|(?P<notstarts>NOT\s+(?:STARTS?_?\s?WITH|BEGINS?_?\s?WITH)\b)|(?P<notends>NOT\s+ENDS?_?\s?WITH\b)"
    r"|(?P<starts>STARTS?_?\s?WITH\b|BEGINS?_?\s?WITH\b)|(?P<ends>ENDS?_?\s?WITH\b)",
    re.IGNORECASE,
)
_ENDS = re.compile(r"(?=[)}]|&&?|\|\||(?:and|or)\b|\Z)", re.IGNORECASE)  # of a condition
_BOOLEAN = re.compile(r"(?:true|false|True|False|TRUE|FALSE)\b")
_NOT_EXISTS_FIRST = re.compile(r"(NOT\s+)?EXISTS\s+(?=\$)", re.IGNORECASE)
_NOT_FIELD = re.compile(r"(?:!|not\s+)\s*(\$[\w.\[\]*-]+)\s*(?=[)}]|&&|\|\||\Z)", re.IGNORECASE)
_BETWEEN = re.compile(r"\A|&&|\|\||\b(?:and|or)\b", re.IGNORECASE)
_LIST_NAME = re.compile(r"(?:s|List|Set)\Z")
_LOOK_AHEAD = re.compile(r"\^?\(\?!(\.\*)?([\w./: @-]+|(?:[\w/: @-]|\\\.)+)\)(?:\.[*+])?\$?")
_FUNCTION = re.compile(r"([A-Za-z_]\w*)\s*\(")
_CASE = {"lower", "upper", "lcase", "ucase", "tolower", "toupper", "strtolower"}
_TESTS = {
    **dict.fromkeys(("exists", "ispresent", "has", "defined", "isnotnull", "isnotempty"), "isexists"),
    **{
        "contains": "like",
        "includes": "like",
        "strcontains": "like",
        "like": "like",
        "match": "like",
        "matches": "like",
    },
    **{
        "startswith": "starts",
        "endswith": "ends",
        "isnull": "isnull",
        "isempty": "isempty",
        "isblank": "isempty",
    },
}
_MIRRORED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def read(text: str, *, named: bool = False) -> nodes.Expression:
    """What conditions were probably meant.

    Args:
        text: what stands between the braces of a JSON pattern.
        named: say in the error which condition was not understood.

    Raises:
        UnclearError: it has no meaning in filter patterns, or none that is certain.
    """
    reader = _Reader(text)
    try:
        expression = reader.expression()
        reader.scanner.skip(")};")
        if not reader.scanner.at_end:
            raise UnclearError
    except UnclearError as error:
        if error.args or not named:
            raise
        raise UnclearError(_not_understood(text, reader.scanner.place)) from None
    return expression


def _not_understood(text: str, place: int) -> str:
    """The condition in which the reader stopped."""
    start = max(found.end() for found in _BETWEEN.finditer(text, 0, max(place, 1)))
    end = next(
        (found.start() for found in _BETWEEN.finditer(text, max(place, start + 1)) if found[0]), len(text)
    )
    return f"`{shorten(text[start:end].strip(), 60)}` was not understood"


class _Reader:
    def __init__(self, text: str) -> None:
        self.scanner = Scanner(text)

    def expression(self) -> nodes.Expression:
        terms = [self._conjunction()]
        while self.scanner.takes(_OR):
            terms.append(self._conjunction())
        return _joined(nodes.Or, terms)

    def _conjunction(self) -> nodes.Expression:
        terms = [self._operand()]
        while self.scanner.takes(_AND):
            if self.scanner.at_end:
                break  # a join without anything after it
            terms.append(self._operand())
        return _joined(nodes.And, terms)

    def _operand(self) -> nodes.Expression:
        if exists := self.scanner.takes(_NOT_EXISTS_FIRST):
            return _tested(self.scanner.operand(), "isnotexists" if exists[1] else "isexists")
        if absent := self.scanner.takes(_NOT_FIELD):
            return _tested(Scanner(absent[1]).operand(), "isnotexists")
        if self.scanner.takes(_NOT):
            return excluded(self._operand())
        if self.scanner.takes(re.compile(r"[({]")):
            inner = self.expression()
            self.scanner.takes(re.compile(r"[)}]"))  # a missing one is forgiven
            return inner
        function = self.scanner.takes(_FUNCTION)
        return self._function(function[1].lower()) if function else self._condition()

    def _function(self, name: str) -> nodes.Expression:
        field = self.scanner.operand(field=True)
        test = _TESTS.get(name)
        argument = self.scanner.operand() if test and self.scanner.takes(re.compile(",")) else None
        if not self.scanner.takes(re.compile(r"\)")):
            raise UnclearError
        if name in _CASE:
            return _in_either_case(self._compared(field))
        if test is None:
            raise UnclearError  # of a length or a time, for instance
        return _like(field, test, argument) if argument else _tested(field, test)

    def _condition(self) -> nodes.Expression:
        left = self.scanner.operand(field=True)
        found = self.scanner.takes(_WORDS)
        if found and found.lastgroup:
            return self._worded(left, found.lastgroup)
        if left.filter_operator:  # $.a[?(@.b = 1)]
            return _comparison(left, _OPERATORS[left.filter_operator], left.filter_value)
        return self._compared(left)

    def _worded(self, field: Token, kind: str) -> nodes.Expression:
        if kind in ("isin", "notin"):
            values = self.scanner.values_in_brackets()
            if field.kind is not Kind.FIELD and [value.kind for value in values] == [Kind.FIELD]:
                return _in_list(field, values[0], kind)
            found = _any_of(field, "=", values)
            return found if kind == "isin" else excluded(found)
        if kind.removeprefix("not") in ("hasany", "hasall"):
            each = [_like(field, "like", value) for value in self.scanner.values_in_brackets()]
            found = _joined(nodes.And if kind == "hasall" else nodes.Or, each)
            return excluded(found) if kind.startswith("not") else found
        if kind == "between":
            low = self.scanner.operand()
            self.scanner.takes(_AND)
            return nodes.And((_ordered(low, "<=", field), _ordered(field, "<=", self.scanner.operand())))
        if kind.removeprefix("not") in ("like", "ilike", "starts", "ends"):
            found = _like(field, kind.removeprefix("not"), self.scanner.operand())
            return excluded(found) if kind.startswith("not") else found
        return _tested(field, kind)

    def _compared(self, left: Token) -> nodes.Expression:
        written = self.scanner.takes(_OPERATOR)
        if not written:
            if left.kind is Kind.FIELD and (left.filtered or self.scanner.takes(_ENDS)):
                return _tested(left, "isexists")
            raise UnclearError
        operator = _OPERATORS[" ".join(written[0].lower().split())]
        if written[0] in ("==", "===") and (boolean := self.scanner.takes(_BOOLEAN)):
            return _tested(left, f"is{boolean[0].lower()}")
        if self.scanner.begins_list():
            return _any_of(left, operator, self.scanner.values_in_brackets())
        right = self.scanner.operand(spaced=True)
        chain = self.scanner.takes(_OPERATOR) if OPERATORS[operator].is_ordering else None
        if chain:  # `1 < $.a < 5`, `$.a < 1 < $.b`
            further = _ordered(right, _OPERATORS[chain[0].lower()], self.scanner.operand())
            return nodes.And((_ordered(left, operator, right), further))
        if right.kind is Kind.FIELD or (_is_number(left) and right.kind is Kind.WORD):
            return _ordered(left, operator, right)
        return self._equal(left, written[0], right)

    def _equal(self, left: Token, written: str, right: Token) -> nodes.Expression:
        operator = _OPERATORS[" ".join(written.lower().split())]
        if written.lower() == "is" and right.text.lower() in ("true", "false", "null"):
            return _tested(left, f"is{right.text.lower()}")
        if "~" in written and right.kind in (Kind.TEXT, Kind.WORD):
            right = replace(right, kind=Kind.REGEX)
        elif right.is_path and "~" not in written:
            right = Token(Kind.TEXT, f"/{right.text}/")
        values = [right, *self.scanner.further_values(_OR, _AND, written)]
        if len(values) > 1 and self.scanner.joined_by_and and operator == "=":
            raise UnclearError
        return _any_of(left, operator, values)


def _ordered(left: Token, operator: Operator, right: Token) -> nodes.Expression:
    """A comparison with the field on either side: `1 < $.a`."""
    if right.kind is not Kind.FIELD and not _is_number(left):
        return _comparison(left, operator, right)
    if left.kind is Kind.FIELD:
        raise UnclearError  # two fields
    return _comparison(right, _MIRRORED.get(operator, operator), left)


def _is_number(token: Token) -> bool:
    return token.kind is Kind.WORD and token.text[:1].isdigit()


def _joined(kind: type[nodes.Group], terms: Sequence[nodes.Expression]) -> nodes.Expression:
    flat = [inner for t in terms for inner in (t.terms if isinstance(t, kind) else (t,))]
    if kind is nodes.And:  # a positive test needs no `= "*"` beside it, which booleans would fail
        tested = {
            t.target for t in flat if not isinstance(t, nodes.Group) and not is_any(t) and _is_positive(t)
        }
        flat = [t for t in flat if not (is_any(t) and getattr(t, "target", None) in tested)]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _is_positive(term: nodes.Term) -> bool:
    if isinstance(term, nodes.Comparison):
        return not term.is_negative and not is_any(term)
    return isinstance(term, nodes.IsType)


def _any_of(field: Token, operator: Operator, values: Sequence[Token]) -> nodes.Expression:
    """A comparison with each value: none of them may be equal for `!=`."""
    if not values:
        raise UnclearError
    kind: type[nodes.Group] = nodes.And if OPERATORS[operator].is_negative else nodes.Or
    return _joined(kind, [_comparison(field, operator, value) for value in values])


def _comparison(field: Token, operator: Operator, value: Token) -> nodes.Expression:
    target = field.selector()
    word = value.text.lower() if value.kind is Kind.WORD else ""
    if word in ("null", "none", "nil") and operator in ("=", "!="):
        null = nodes.Or((nodes.NotExists(target), nodes.IsType(target, "NULL")))
        return null if operator == "=" else _tested(field, "isexists")
    if word == "undefined" and operator in ("=", "!="):
        return _tested(field, "isnotexists" if operator == "=" else "isexists")
    if value.kind is Kind.REGEX and (ahead := _LOOK_AHEAD.fullmatch(value.text)) and operator in ("=", "!="):
        text = f"{'*' if ahead[1] else ''}{ahead[2].replace(chr(92), '')}*"
        return nodes.Comparison(target, OPERATORS[operator].opposite, nodes.String(text))
    if (
        addresses.is_range(value.text)
        and value.kind is not Kind.REGEX
        and addresses.is_address_name(target.steps[-1])
    ):
        return nodes.Comparison(target, operator, addresses.value_of(value.text))
    if OPERATORS[operator].is_ordering and value.kind in (Kind.TEXT, Kind.WORD):
        value = Token(Kind.WORD, in_digits(value.text))
    if target.steps[-1] == "eventName" and value.kind is not Kind.REGEX:
        value = replace(value, text=value.text.replace(".*", "*"))  # no name of a call has a dot
    if value.kind is Kind.WORD and (numbers := class_of_numbers(value.text)):
        value = replace(value, text=numbers)
    if value.kind is Kind.WORD and re.fullmatch(r"\^.+|.+\$", value.text):
        value = replace(value, kind=Kind.REGEX)
    operand = value.value()
    if OPERATORS[operator].is_ordering and not isinstance(operand, nodes.Number):
        raise UnclearError
    return nodes.Comparison(target, operator, operand)


def _tested(field: Token, kind: str) -> nodes.Expression:
    target = field.selector()
    tests: dict[str, nodes.Expression] = {
        "isnotexists": nodes.NotExists(target),
        "isexists": _exists(target),
        "isempty": nodes.Or((nodes.NotExists(target), nodes.Comparison(target, "=", nodes.String("")))),
        "isnull": nodes.IsType(target, "NULL"),
        "istrue": nodes.IsType(target, "TRUE"),
        "isfalse": nodes.IsType(target, "FALSE"),
        "isnottrue": nodes.Or((nodes.IsType(target, "FALSE"), nodes.NotExists(target))),
        "isnotfalse": nodes.Or((nodes.IsType(target, "TRUE"), nodes.NotExists(target))),
    }
    if kind not in tests:
        raise UnclearError  # a test of text without the text
    return tests[kind]


def _exists(target: nodes.Selector) -> nodes.Expression:
    if target.steps[-1] == "sessionContext":
        raise UnclearError  # its values are objects, which no comparison matches
    return nodes.Comparison(target, "=", nodes.String("*"))


def _in_list(value: Token, field: Token, kind: str) -> nodes.Expression:
    """`"x" in $.list`, and `"x" in $.text` as Python has it."""
    steps, operand = field.steps, value.value()
    if _LIST_NAME.search(str(steps[-1])):
        steps = (*steps, nodes.Wildcard.ALL)
    elif isinstance(operand, nodes.String):
        operand = nodes.String(f"*{operand.text}*")
    found = nodes.Comparison(nodes.Selector(steps), "=", operand)
    return found if kind == "isin" else excluded(found)


def _like(field: Token, kind: str, argument: Token) -> nodes.Expression:
    """LIKE, CONTAINS and so on: a regex stays one, a text gets stars."""
    value = argument.value()
    if isinstance(value, nodes.String | nodes.Number):
        text = value.text.replace("%", "*").strip("*")
        before, after = ("" if kind == "starts" else "*"), ("" if kind == "ends" else "*")
        value = nodes.String(f"{before}{text}{after}")
        if "%" in argument.text and kind in ("like", "ilike"):  # SQL's wildcards say where
            value = nodes.String(argument.text.replace("%", "*"))
    found = nodes.Comparison(field.selector(), "=", value)
    return _in_either_case(found) if kind == "ilike" else found


def _in_either_case(expression: nodes.Expression) -> nodes.Expression:
    if isinstance(expression, nodes.Group):
        return replace(expression, terms=tuple(map(_in_either_case, expression.terms)))
    if not isinstance(expression, nodes.Comparison) or expression.is_ordering:
        raise UnclearError
    value = expression.value
    if isinstance(value, nodes.Number):
        return expression
    source = value.source if isinstance(value, nodes.Regex) else as_regex(value.parts)
    changed = in_either_case(source)
    if not changed:
        raise UnclearError
    return replace(expression, value=nodes.Regex(changed))
