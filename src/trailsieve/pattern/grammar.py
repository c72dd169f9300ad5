"""The grammar of filter patterns in pyparsing: what may follow what, and the node that each part becomes.

Every element has a name: the names are the words of error messages (`mistakes`) and of the railroad diagram
(`grammar/railroad.html`). The grammar is LL(1): once a choice is clear, the `-` operator stops all other
attempts, so that an error points at the first character that is not allowed. Packrat stays off: it is
process-wide, and made these grammars slower.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html and the numbered rules
of `grammar/semantics.md`.
"""

from __future__ import annotations

import pyparsing as pp

from trailsieve.pattern import actions, tokens
from trailsieve.pattern.nodes import And, Or


def _token(regex: str, name: str) -> pp.ParserElement:
    return pp.Regex(regex).set_name(name)


def _keyword(word: str) -> pp.ParserElement:
    return pp.CaselessKeyword(word).set_name(word)


def _mark(text: str, name: str) -> pp.ParserElement:
    return pp.Suppress(pp.Literal(text)).set_name(name)


# --- values (rules 33 to 42) ---
quoted = _token(tokens.QUOTED, 'a closing "').set_parse_action(actions.quoted)
regex = _token(tokens.REGEX, "a closing %").set_parse_action(actions.regex)
bare = _token(tokens.BARE, "a bare value").set_parse_action(actions.bare)
value = pp.MatchFirst(
    [pp.FollowedBy('"').suppress() - quoted, pp.FollowedBy("%").suppress() - regex, bare]
).set_name("a value")
operator = _token(tokens.OPERATOR, "a comparison")

# --- JSON patterns (rules 23 to 48) ---
selector = _token(tokens.SELECTOR, "a selector")
selector.set_parse_action(actions.selector)
is_, not_ = map(_keyword, ("IS", "NOT"))
null, true, false, exists = (
    _keyword(word).set_parse_action(actions.keyword_end) for word in ("NULL", "TRUE", "FALSE", "EXISTS")
)
type_test = is_.suppress() - (null | true | false).set_name("NULL, TRUE or FALSE")
absence_test = not_ - exists
comparison = operator - value
test = (comparison | type_test | absence_test).set_name("a comparison")
term = (selector - test).set_name("a term").set_parse_action(actions.term)

expression = pp.Forward()
expression.set_name("an expression").set_parse_action(actions.joined(Or))
group = _mark("(", "(") - expression - _mark(")", "`&&`, `||` or `)`")
operand = (group | term).set_name("a term or (")
conjunction = (operand + pp.ZeroOrMore(_mark("&&", "&&") - operand)).set_name("conjunction")
conjunction.set_parse_action(actions.joined(And))
expression <<= conjunction + pp.ZeroOrMore(_mark("||", "||") - conjunction)

json_pattern = (_mark("{", "{") - expression - _mark("}", "`&&`, `||` or `}`") - pp.StringEnd()).set_name(
    "JSON pattern"
)

# --- a selector alone, as rule files use it ---
selector_alone = (selector - pp.StringEnd()).set_name("a selector")

# --- standalone regular expressions (rules 17 to 22) ---
regex_pattern = (regex - pp.StringEnd()).set_name("regular expression pattern")

# --- text patterns (rules 7 to 16) ---
role = _token(r"[-?]", "- or ?")
word = _token(r"[\w.=]+", "a word").set_parse_action(actions.word)
text_term = (pp.Optional(role) + (pp.FollowedBy('"').suppress() - quoted | word)).set_name("a term")
text_term.set_parse_action(actions.text_term)
text_pattern = (pp.ZeroOrMore(text_term) - pp.StringEnd()).set_name("text pattern")

# --- space-delimited patterns (rules 49 to 59) ---
field_name = _token(r"[^\W\d][\w-]*", "a field name").set_parse_action(actions.field_name)
field_term = (field_name + operator - value).set_name("a field comparison")
field_term.set_parse_action(actions.field_term)
field_conjunction = (field_term + pp.ZeroOrMore(_mark("&&", "&&") - field_term)).set_name("field conjunction")
field_conjunction.set_parse_action(actions.joined(And))
field_condition = (field_conjunction + pp.ZeroOrMore(_mark("||", "||") - field_conjunction)).set_name(
    "field condition"
)
field_condition.set_parse_action(actions.joined(Or))
ellipsis = pp.Literal("...").set_name("...")
column = (ellipsis | field_condition | field_name | pp.Empty()).set_name("a field")
column.set_parse_action(actions.column)
delimited_pattern = (
    _mark("[", "[")
    - column
    - pp.ZeroOrMore(_mark(",", ",") - column)
    - _mark("]", "`,` or `]`")
    - pp.StringEnd()
).set_name("space-delimited pattern")

for _pattern in (json_pattern, selector_alone, regex_pattern, text_pattern, delimited_pattern):
    _pattern.parse_with_tabs()
