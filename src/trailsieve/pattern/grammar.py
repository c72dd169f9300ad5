"""The grammar of filter patterns in pyparsing: what may stand where, and nothing else.

Every element has a name: the names are the words of error messages (`parser`) and of the railroad
diagram (`grammar/railroad.html`). The grammar is LL(1): after a choice is clear the `-` operator stops all
other attempts, so that an error points at the first character that cannot stand there. Packrat stays
off (it is process-wide, and made these grammars slower). Meaning is given to the parts in `parser`.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html and the numbered rules
of `grammar/semantics.md`.
"""

from __future__ import annotations

import pyparsing as pp

# The blanks of the language; line breaks inside braces count as blanks (rule 4, INFERRED).
BLANKS = " \t\r\n"

SELECTOR_STEP = r"\.[\w-]+|\.\*|\.\['[^']+'\]|\[[0-9]+\]|\[\*\]"


def _token(regex: str, name: str) -> pp.ParserElement:
    return pp.Regex(regex).set_name(name)


def _mark(text: str, name: str) -> pp.ParserElement:
    return pp.Suppress(pp.Literal(text)).set_name(name)


# --- values (rules 33 to 42) ---
quoted = _token(r'"(?:[^"\\]|\\.)*"', 'a closing "')
regex = _token(r"%[^%]*%", "a closing %")
bare = _token(r"[\w.*+\-]+", "a bare value")
value = pp.MatchFirst(
    [
        pp.FollowedBy('"').suppress() - quoted,
        pp.FollowedBy("%").suppress() - regex,
        bare,
    ]
).set_name("a value")
operator = _token(r"<=|>=|!=|=(?!=)|<|>", "a comparison")

# --- JSON patterns (rules 23 to 48) ---
selector = _token(rf"\$(?:\.[\w-]+|\.\*|\.\['[^']+'\])(?:{SELECTOR_STEP})*", "a selector")
null, true, false, exists, is_, not_ = (
    pp.CaselessKeyword(word).set_name(word) for word in ("NULL", "TRUE", "FALSE", "EXISTS", "IS", "NOT")
)
type_test = is_.suppress() - (null | true | false).set_name("NULL, TRUE or FALSE")
absence_test = not_ - exists
comparison = operator - value
test = (comparison | type_test | absence_test).set_name("a comparison")
term = (selector - test).set_name("a term")

expression = pp.Forward()
expression.set_name("an expression")
group = _mark("(", "(") - expression - _mark(")", "`&&`, `||` or `)`")
operand = (group | term).set_name("a term or (")
conjunction = (operand + pp.ZeroOrMore(_mark("&&", "&&") - operand)).set_name("conjunction")
expression <<= conjunction + pp.ZeroOrMore(_mark("||", "||") - conjunction)

json_pattern = (_mark("{", "{") - expression - _mark("}", "`&&`, `||` or `}`") - pp.StringEnd()).set_name(
    "JSON pattern"
)

# --- a selector by itself, as rules name values with it ---
selector_alone = (selector - pp.StringEnd()).set_name("a selector")

# --- standalone regular expressions (rules 17 to 22) ---
regex_pattern = (regex - pp.StringEnd()).set_name("regular expression pattern")

# --- text patterns (rules 7 to 16) ---
role = _token(r"[-?]", "- or ?")
word = _token(r"[\w.=]+", "a word")
text_term = (pp.Optional(role) + (pp.FollowedBy('"').suppress() - quoted | word)).set_name("a term")
text_pattern = (pp.ZeroOrMore(text_term) - pp.StringEnd()).set_name("text pattern")

# --- space-delimited patterns (rules 49 to 59) ---
field_name = _token(r"[^\W\d][\w-]*", "a field name")
field_term = (field_name + operator - value).set_name("a field comparison")
field_conjunction = (field_term + pp.ZeroOrMore(_mark("&&", "&&") - field_term)).set_name("field conjunction")
field_condition = (field_conjunction + pp.ZeroOrMore(_mark("||", "||") - field_conjunction)).set_name(
    "field condition"
)
ellipsis = pp.Literal("...").set_name("...")
column = (ellipsis | field_condition | field_name | pp.Empty()).set_name("a field")
delimited_pattern = (
    _mark("[", "[")
    - column
    - pp.ZeroOrMore(_mark(",", ",") - column)
    - _mark("]", "`,` or `]`")
    - pp.StringEnd()
).set_name("space-delimited pattern")

for _pattern in (json_pattern, selector_alone, regex_pattern, text_pattern, delimited_pattern):
    _pattern.parse_with_tabs()
