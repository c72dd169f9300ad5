"""From nodes to the source of one Python function: one condition a line, user text only as constants.

The generated function takes a decoded JSON object (JSON patterns) or the event's text (all others), has no
state, never raises and returns a bool. It uses the names of `runtime`, the regexes `regex_0`, `regex_1`, …
and nothing else; a property test checks that it is built from a short list of syntax nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trailsieve.pattern import nodes
from trailsieve.pattern.delimited import Layout, layout_of
from trailsieve.pattern.operators import OPERATORS, OperatorRow
from trailsieve.pattern.views import ObjectView, ValueView, View

FUNCTION = "matches"
_INDENT = "    "
_NUMERIC_START = tuple("-0123456789")
_NUMERIC_END = tuple("0123456789")
_NUMERIC_WORDS = ("Infinity", "NaN")  # the texts of a number without digits (rule 35)


@dataclass(slots=True)
class Generated:
    """Source of the function and the constants that it finds in its namespace, by name."""

    source: str = ""
    regexes: dict[str, str] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)


def generate(pattern: nodes.Pattern, view: View | None = None) -> Generated:
    """The source of a pattern's predicate; it reads decoded objects unless `view` reads something else."""
    generator = _Generator(view or ObjectView())
    match pattern:
        case nodes.JsonPattern():
            body = generator.json_body(pattern)
        case nodes.RegexPattern(regex):
            body = [f"return {generator.regex(regex.source)}(text)"]
        case nodes.TextPattern():
            body = generator.text_body(pattern)
        case nodes.DelimitedPattern():
            body = generator.delimited_body(pattern)
    argument = "record" if isinstance(pattern, nodes.JsonPattern) else "text"
    return generator.function(argument, body)


def generate_test(expression: nodes.Expression) -> Generated:
    """The source of a test on the value of the one selector that all terms of an expression have."""
    generator = _Generator(ValueView())
    return generator.function("value", _returned(generator.expression(expression)))


class _Generator:
    def __init__(self, view: View) -> None:
        self.generated = Generated()
        self.view = view
        self.fields: dict[str, str] = {}

    def function(self, argument: str, body: list[str]) -> Generated:
        lines = [f"def {FUNCTION}({argument}):", *(_INDENT + line for line in body)]
        self.generated.source = "\n".join(lines) + "\n"
        return self.generated

    def regex(self, source: str) -> str:
        for name, known in self.generated.regexes.items():
            if known == source:
                return name
        name = f"regex_{len(self.generated.regexes)}"
        self.generated.regexes[name] = source
        return name

    # --- bodies ---

    def json_body(self, pattern: nodes.JsonPattern) -> list[str]:
        returned = _returned(self.expression(pattern.expression))
        self.generated.constants.update(self.view.names)
        return [*self.view.lines, *returned]

    def text_body(self, pattern: nodes.TextPattern) -> list[str]:
        if pattern.is_any:
            return _returned(_lines("or", [[f"{text!r} in text"] for text in pattern.texts("optional")]))
        tests = [f"{text!r} in text" for text in pattern.texts("required")]
        tests += [f"{text!r} not in text" for text in pattern.texts("excluded")]
        return _returned(_lines("and", [[test] for test in tests])) if tests else ["return True"]

    def delimited_body(self, pattern: nodes.DelimitedPattern) -> list[str]:
        layout = layout_of(pattern)
        conditions: list[list[str]] = []
        loads: list[str] = []
        for position, column in enumerate(pattern.columns):
            if isinstance(column, nodes.Column) and column.condition is not None:
                variable = f"v{len(loads)}"
                self.fields[column.name] = variable
                loads.append(f"{variable} = values[{_place(position, layout)}]")
                conditions.append(self.expression(column.condition))
        self.generated.constants["layout"] = layout
        found = ["values = columns(text, layout)", "if values is None:", _INDENT + "return False"]
        return [*found, *loads, *(_returned(_lines("and", conditions)) if conditions else ["return True"])]

    # --- expressions ---

    def expression(self, expression: nodes.Expression) -> list[str]:
        match expression:
            case nodes.And(terms):
                return _lines("and", [self.expression(term) for term in terms])
            case nodes.Or(terms):
                return _lines("or", [self.expression(term) for term in terms])
            case _:
                return [self.term(expression)]

    def term(self, term: nodes.Term) -> str:
        if isinstance(term.target, nodes.Field):
            assert isinstance(term, nodes.Comparison)
            return self.field_term(term, self.fields[term.target.name])
        if term.target.wildcards:
            return self.wildcard_term(term, term.target)
        return self.value_term(term, self.view.value(term.target))

    def value_term(self, term: nodes.Term, value: str) -> str:
        match term:
            case nodes.NotExists():
                return f"{value} is ABSENT"
            case nodes.IsType(type="NULL"):
                return f"is_null({value})"
            case nodes.IsType(type=name):
                return f"{value} is {name.capitalize()}"
            case nodes.Comparison(operator=operator, value=operand):
                return self.comparison(OPERATORS[operator], value, operand)

    def comparison(self, operator: OperatorRow, value: str, operand: nodes.Value) -> str:
        if isinstance(operand, nodes.Number):
            literal = "" if operator.is_ordering else f", {operand.text!r}"
            return f"{operator.number}({value}, {self.number(operand)}{literal})"
        if isinstance(operand, nodes.Regex):
            return f"{operator.regex}({value}, {self.regex(operand.source)})"
        if inline := _inline(operator, value, operand):
            return inline
        if len(operand.parts) > 1:
            return f"{operator.wildcard}({value}, {operand.parts!r})"
        return f"{operator.text}({value}, {operand.text!r})"

    def number(self, operand: nodes.Number) -> str:
        if isinstance(operand.value, int):
            return repr(operand.value)
        return self.constant("number", operand.value)

    def wildcard_term(self, term: nodes.Term, selector: nodes.Selector) -> str:
        base, rest = self.view.base(selector)
        steps = self.constant("steps", rest)
        if isinstance(term, nodes.NotExists):
            return f"nothing_selected({base}, {steps})"
        if isinstance(term, nodes.IsType) and term.type == "NULL":
            return f"any_selected({base}, {steps}, lambda value: value is None)"
        if isinstance(term, nodes.Comparison) and term.is_negative:
            equal = self.comparison(OPERATORS["="], "value", term.value)
            return f"none_selected({base}, {steps}, lambda value: {equal})"
        return f"any_selected({base}, {steps}, lambda value: {self.value_term(term, 'value')})"

    def constant(self, prefix: str, value: object) -> str:
        name = f"{prefix}_{len(self.generated.constants)}"
        self.generated.constants[name] = value
        return name

    def field_term(self, term: nodes.Comparison, value: str) -> str:
        if isinstance(term.value, nodes.Number):
            value = f"number_in({value})"
        if term.is_negative:
            return f"not {self.comparison(OPERATORS['='], value, term.value)}"
        return self.comparison(OPERATORS[term.operator], value, term.value)


def _place(position: int, layout: Layout) -> int:
    """Index of a column's value: counted from the end after `...`."""
    return position if position < layout.before else position - layout.before - layout.after - 1


def _inline(operator: OperatorRow, value: str, operand: nodes.String) -> str:
    """A comparison without a call, where a number's text cannot be equal; else ""."""
    parts, text = operand.parts, operand.text
    if len(parts) == 1 and not _may_be_number(text):
        different = f"({value} != {text!r} and has_text({value}))"
        return different if operator.is_negative else f"{value} == {text!r}"
    if len(parts) == 1 or operator.is_negative:
        return ""
    first, last = parts[0], parts[-1]
    if len(parts) == 2 and first and not last and not _may_start_number(first):
        return f"({value}.__class__ is str and {value}.startswith({first!r}))"
    if len(parts) == 3 and not first and not last and not _may_be_in_number(parts[1]):
        return f"({value}.__class__ is str and {parts[1]!r} in {value})"
    if last and not _may_end_number(last):
        like = f"{operator.wildcard}({value}, {parts!r})"
        return f"({value}.__class__ is str and {value}.endswith({last!r}) and {like})"
    return ""


def _may_be_number(text: str) -> bool:
    return text.startswith(_NUMERIC_START) or text in _NUMERIC_WORDS


def _may_start_number(text: str) -> bool:
    return text.startswith(_NUMERIC_START) or any(word.startswith(text) for word in _NUMERIC_WORDS)


def _may_end_number(text: str) -> bool:
    return text.endswith(_NUMERIC_END) or any(word.endswith(text) for word in _NUMERIC_WORDS)


def _may_be_in_number(text: str) -> bool:
    return not text.strip("+-.0123456789Ee") or any(text in word for word in ("-Infinity", "NaN"))


def _lines(operator: str, operands: list[list[str]]) -> list[str]:
    """`operands` joined by `and` or `or`, one condition a line; brackets around what has several lines."""
    if len(operands) == 1:
        return operands[0]
    lines: list[str] = []
    for number, operand in enumerate(operands):
        prefix = f"{operator} " if number else ""
        if len(operand) == 1:
            lines.append(prefix + operand[0])
        else:
            lines += [f"{prefix}(", *(_INDENT + line for line in operand), ")"]
    return lines


def _returned(lines: list[str]) -> list[str]:
    if len(lines) == 1:
        return [f"return {lines[0]}"]
    return ["return (", *(_INDENT + line for line in lines), ")"]
