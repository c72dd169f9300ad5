"""Error messages for refused patterns: common mistakes, each with what to write instead.

`_SLIPS` is the list to extend: the first entry whose test is true gives the hint.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from trailsieve.errors import PatternError, shorten, visible
from trailsieve.pattern.nodes import Regex, String, Value
from trailsieve.pattern.render import quoted

# Line breaks inside braces count as blanks (rule 4, INFERRED).
BLANKS = " \t\r\n"
NULL_HINT = "write `$.field IS NULL`, or `$.field NOT EXISTS` for an absent field"
_WORD_BREAKS = BLANKS + "(){}[]&|=!<>,\"'%"
_END = "the end of the pattern"
_JOIN_HINT = "join conditions with && or ||"
_KEY_HINT = "write a key with other characters as $.['the key']"
_TEXT_HINT = "only letters, digits, `_` and `.` can do without double quotes: write "
# Comparisons of other languages, by the run of signs around the mistake.
_SIGNS = {
    "<>": "write != for `is not`",
    "=>": "write >= for `at least`",
    "=<": "write <= for `at most`",
    "!": "write != for `is not`",
    ":": "use a single `=`: $.field = value",
    "=~": "write a regex between percent signs: $.field = %regex%",
    "~=": "write a regex between percent signs: $.field = %regex%",
    "~": "write a regex between percent signs: $.field = %regex%",
    "!~": "write a regex between percent signs: $.field != %regex%",
    "==": "use a single `=`",
    "===": "use a single `=`",
    "!==": "write != with a single `=`",
}
_WORDS = {
    "IN": 'write one comparison for each value: ($.field = "a" || $.field = "b")',
    "LIKE": 'use `=` with wildcards: $.field = "*part*"',
    "CONTAINS": 'use `=` with wildcards: $.field = "*part*"',
    "STARTSWITH": 'use `=` with a wildcard at the end: $.field = "part*"',
    "ENDSWITH": 'use `=` with a wildcard at the start: $.field = "*part"',
    "MATCHES": "write a regex between percent signs: $.field = %regex%",
    "DOES": "for an absent field write `$.field NOT EXISTS`",
    "ISNULL": "write `$.field IS NULL`",
}


def explain(text: str, place: int, expected: str) -> PatternError:
    """The error for a pattern that cannot be parsed beyond offset `place`.

    Args:
        expected: pyparsing's "Expected …", made of the grammar's own names.
    """
    if expected == "Expected end of text" and text[:1] in "{[%":
        expected = f"the pattern ends with its `{_closing(text)}`: nothing may follow it"
        return located(text, place, expected, _hint(_Slip(text, _skip(text, place), expected)))
    at = _skip(text, place)
    if "immediately followed by" in expected:  # a keyword with more letters after it
        at, expected = _whole_keyword(text, at)
    wanted = expected.replace("Expected ", "expected ").replace("expected end of text", "expected a term")
    hint = _hint(_Slip(text, at, wanted))
    return located(text, at, f"{wanted}, found {_found(text, at)}", hint)


def located(text: str, start: int, message: str, hint: str = "") -> PatternError:
    """A `PatternError` at an offset counted from 0."""
    return PatternError(message, min(start, len(text)) + 1, hint, text)


def quote_hint(token: str) -> str:
    """The hint to quote a value."""
    return f"put the value in double quotes: {_quoted(token)}"


def null_hint(text: str) -> str:
    """The hint for `null`, which is not a value (rule 41)."""
    return NULL_HINT if text.startswith("{") else 'quote the word: "null"'


def _quoted(token: str) -> str:
    return visible(quoted(token))


def order_hint(operator: str, value: Value) -> str:
    """The hint for the right side of an ordering comparison (rule 37)."""
    if isinstance(value, Regex):
        return "compare a regex with = or !="
    if isinstance(value, String) and value.quoted and value.text.strip("+-").replace(".", "", 1).isdigit():
        return f"write the number without quotes: {operator} {value.text}"
    return f"write a number, such as {operator} 400; text can only be compared with = and !="


def _closing(text: str) -> str:
    return {"{": "}", "[": "]", "%": "%"}[text[0]]


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in BLANKS:
        place += 1
    return place


def _found(text: str, at: int) -> str:
    if at >= len(text):
        return _END
    if not text[at].isprintable():
        return _unseen(text[at])
    word = _word(text, at) or text[at]
    return f"`{visible(word[:30])}`"


def _unseen(character: str) -> str:
    return f"the invisible character U+{ord(character):04X}"


def _whole_keyword(text: str, at: int) -> tuple[int, str]:
    """Where the word around `at` starts, and what is expected there."""
    while text[at - 1].isalnum():
        at -= 1
    before = text[:at].rstrip(BLANKS).upper()
    if before.endswith("NOT"):
        return at, "Expected EXISTS"
    return at, "Expected NULL, TRUE or FALSE" if before.endswith("IS") else "Expected a comparison"


def _word(text: str, at: int) -> str:
    end = at
    while end < len(text) and text[end] not in _WORD_BREAKS:
        end += 1
    return text[at:end]


@dataclass(frozen=True, slots=True)
class _Slip:
    """A parse failure, as the tests below look at it."""

    text: str
    at: int
    expected: str

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    @property
    def before(self) -> str:
        return self.text[: self.at].rstrip(BLANKS)

    @property
    def word(self) -> str:
        return _word(self.text, self.at)

    @property
    def json(self) -> bool:
        return self.text.startswith("{")

    @property
    def signs(self) -> str:
        """The run of comparison signs around the place."""
        start = end = self.at
        while self.text[start - 1] in "=<>!~":
            start -= 1
        while self.text[end : end + 1] and self.text[end] in "=<>!~:":
            end += 1
        return self.text[start:end]


def _hint(slip: _Slip) -> str:
    for holds, hint in _SLIPS:
        if holds(slip):
            return hint(slip) if callable(hint) else hint
    return ""


def _starts(*prefixes: str) -> Callable[[_Slip], bool]:
    return lambda slip: slip.rest.startswith(prefixes)


def _is_word(*words: str) -> Callable[[_Slip], bool]:
    return lambda slip: slip.word.upper() in words


def _wants(name: str) -> Callable[[_Slip], bool]:
    return lambda slip: name in slip.expected


def _all(*tests: Callable[[_Slip], bool]) -> Callable[[_Slip], bool]:
    return lambda slip: all(test(slip) for test in tests)


def _text_term(slip: _Slip) -> bool:
    return slip.text[:1] not in "{[%"


def _selector_in_text(slip: _Slip) -> bool:
    return _text_term(slip) and "$." in slip.text


def _bare_value_went_on(slip: _Slip) -> bool:
    """A bare value ended at a character that needs quotes, or at a blank before another word."""
    return slip.json and "`&&`" in slip.expected and bool(slip.rest) and slip.rest[0] not in "})(&|,$"


def _lone_value(slip: _Slip) -> bool:
    """A value instead of a condition: `$.a = "x" || "y"`."""
    if not slip.before.endswith(("||", "&&")):
        return False
    value = _VALUE.match(slip.rest)
    return value is not None and slip.rest[value.end() :].lstrip(BLANKS)[:1] in ("", "}", ")", "|", "&")


def _named_field(slip: _Slip) -> str:
    """The selector that a word or quoted name was meant to be."""
    name = slip.rest[1:].partition(slip.rest[0])[0] if slip.rest[0] in "\"'" else slip.word
    name = name.removeprefix("$").lstrip(".")
    return f"$.{visible(name)}" if _NAME.fullmatch(name) else "$.eventName"


def _quote_whole_value(slip: _Slip) -> str:
    start = max(slip.before.rfind(character) for character in "=<>") + 1
    value = slip.text[start:]
    end = min(
        (at for at in (value.find(stop) for stop in (")", "&&", "||", "}")) if at >= 0), default=len(value)
    )
    return quote_hint(" ".join(value[:end].split()).strip('"'))


_ROOT_INDEX = re.compile(r"\$\.?\[[0-9*]")
_ODD_KEY = re.compile(r"\$\[|\$\.[^\s.=<>!})]")
_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_VALUE = re.compile(r'"[^"]*"|%[^%]*%|[\w.*+\-]+')
_Hint = str | Callable[[_Slip], str]
_SLIPS: list[tuple[Callable[[_Slip], bool], _Hint]] = [
    (
        lambda s: bool(s.rest) and not s.rest[0].isprintable(),
        "remove it; editors show it as a blank or not at all",
    ),
    (
        lambda s: _text_term(s) and s.text.lstrip(BLANKS)[:1] in "{[%" and s.text[:1] in BLANKS,
        "remove the blanks: a JSON, space-delimited or regex pattern starts at the first character",
    ),
    (_selector_in_text, "put conditions on fields in braces: { $.field = value }"),
    (lambda s: _text_term(s) and s.rest.startswith('"'), 'close the quoted term with a second "'),
    (lambda s: _text_term(s) and s.rest[:1] in "-?" and bool(s.rest), "put the word right after `-` or `?`"),
    (_all(_text_term, _starts("&")), "leave out the &&: terms next to each other must all occur"),
    (_all(_text_term, _starts("|")), "to match any of several terms, put ? before each: ?this ?that"),
    (_all(_text_term, _starts("!")), 'put - before a term to exclude it: -this; or quote it: "!"'),
    (_all(_text_term, _starts("%")), "a regex cannot be combined with terms; quote a % to search for it"),
    (
        _all(_text_term, _starts("*")),
        "remove the *: a term is found anywhere in the event; quote a * to search for it",
    ),
    (_text_term, lambda s: _TEXT_HINT + _quoted_rest(s)),
    (
        _all(_wants("nothing may follow"), lambda s: s.json),
        "put further conditions inside the braces, joined with && or ||",
    ),
    (
        _all(_wants("nothing may follow"), lambda s: s.text.startswith("%")),
        "write a single regex and join alternatives with |: %a|b%",
    ),
    (_wants("nothing may follow"), "remove what follows, or move it inside the brackets as a field"),
    (
        lambda s: s.signs in _SIGNS and ("a comparison" in s.expected or "a value" in s.expected),
        lambda s: _SIGNS[s.signs],
    ),
    (_starts("=="), "use a single `=`"),
    (_is_word("AND"), "write && for `and`"),
    (_is_word("OR"), "write || for `or`"),
    (lambda s: s.rest[:1] == "&" and s.rest[:2] != "&&", "write && for `and`"),
    (lambda s: s.rest[:1] == "|" and s.rest[:2] != "||", "write || for `or`"),
    (
        _all(_wants("NULL, TRUE"), _is_word("NOT")),
        'there is no IS NOT; `$.field = "*"` matches any string or number, `$.field NOT EXISTS` an absent field',
    ),
    (_wants("NULL, TRUE"), "IS takes NULL, TRUE or FALSE only; compare text and numbers with ="),
    (
        _wants("expected EXISTS"),
        "NOT takes EXISTS only: `$.field NOT EXISTS` matches an absent field; write != for `is not`",
    ),
    (_is_word("EXISTS"), 'there is no EXISTS, only NOT EXISTS; `$.field = "*"` matches any string or number'),
    (lambda s: "a comparison" in s.expected and s.word.upper() in _WORDS, lambda s: _WORDS[s.word.upper()]),
    (_all(_wants("a value"), _starts("'")), 'put values in double quotes: "value"'),
    (
        _all(_wants("a value"), _starts("“", "”", "„", "‘", "’", "`")),
        'put values in straight double quotes: "value"',
    ),
    (
        _all(_wants("a value"), _starts("(", "[", "{"), lambda s: s.json),
        'write one comparison for each value: ($.field = "a" || $.field = "b")',
    ),
    (_all(_wants("term or ("), _starts("!")), "there is no `!`; write != in the term, or NOT EXISTS"),
    (
        _all(_wants("term or ("), _is_word("NOT")),
        "there is no NOT before a condition; write != in the term, or NOT EXISTS after its selector",
    ),
    (
        _all(_wants("term or ("), _starts("{")),
        "one pair of braces encloses the whole pattern; group conditions with ( )",
    ),
    (_all(_wants("term or ("), _starts("&&", "||")), "&& and || need a condition on both sides"),
    (
        _all(_wants("term or ("), _lone_value),
        'repeat the field in each condition: $.field = "a" || $.field = "b"',
    ),
    (
        _all(_wants("term or ("), _starts('"', "'")),
        lambda s: f"write a field without quotes, after `$.`: {_named_field(s)}",
    ),
    (
        _all(_wants("term or ("), lambda s: bool(_ROOT_INDEX.match(s.rest))),
        "an event is an object, not an array: $.field[0]",
    ),
    (_all(_wants("term or ("), lambda s: bool(_ODD_KEY.match(s.rest))), _KEY_HINT),
    (
        _all(_wants("term or ("), lambda s: s.rest[:1] == "$"),
        lambda s: f"a selector starts with `$.` and a field name: {_named_field(s)}",
    ),
    (
        _all(_wants("term or ("), lambda s: bool(s.word)),
        lambda s: f"a field starts with `$.`: {_named_field(s)}",
    ),
    (
        _all(_wants("term or ("), lambda s: not s.rest or s.rest[0] in "})"),
        "write a condition: $.field = value",
    ),
    (_all(_wants("a comparison"), _starts("['", '["', ".[", '."', ".'")), _KEY_HINT),
    (
        _all(_wants("a comparison"), _starts("[")),
        "an index is a whole number from 0: $.list[0], or $.list[*] for any",
    ),
    (_all(_wants("a comparison"), _starts("..")), "write one dot before each name: $.a.b"),
    (_all(_wants("a comparison"), _starts("*")), "a wildcard is a step of its own: $.list[*] or $.object.*"),
    (
        _all(_wants("a comparison"), lambda s: s.rest.startswith(".")),
        f"{_KEY_HINT}; one wildcard step is [*] or .*",
    ),
    (
        _all(_wants("a comparison"), lambda s: s.json),
        "a selector is followed by =, !=, <, <=, >, >=, IS NULL, IS TRUE, IS FALSE or NOT EXISTS",
    ),
    (
        _wants("a closing"),
        lambda s: (
            "close the regex with a second %"
            if s.rest[:1] == "%"
            else 'close the quoted value with a second "; write \\" for a quote inside it'
        ),
    ),
    (_all(_wants("a value"), _starts("/")), lambda s: f"{quote_hint(s.word)}; write a regex as %regex%"),
    (
        _all(_wants("a value"), lambda s: bool(s.rest) and s.rest[0] not in ")}],&|"),
        lambda s: quote_hint(s.word) if s.word else "put values with other characters in double quotes",
    ),
    (_wants("a value"), 'write a value after the comparison: a word, a number, "text" or %regex%'),
    (lambda s: s.json and s.rest.startswith((",", ";")), _JOIN_HINT),
    (
        lambda s: s.json and "`&&`" in s.expected and s.before.endswith('"'),
        'the value ended at its second "; write \\" for a quote inside it, && or || before a further condition',
    ),
    (lambda s: "`&&`" in s.expected and s.rest[:1] in ("$", "("), _JOIN_HINT),
    (_bare_value_went_on, _quote_whole_value),
    (_all(_wants("`)`"), lambda s: not s.rest or s.rest[0] == "}"), "a ( is not closed"),
    (_all(_wants("`}`"), _starts(")")), "a ) has no matching ("),
    (_wants("`}`"), "close the pattern with }"),
    (_all(_wants("`]`"), lambda s: not s.rest), "close the pattern with ]"),
    (_all(_wants("`]`"), _starts("=")), "use a single `=`"),
    (
        _all(_wants("`]`"), lambda s: s.before.endswith(("[", ",")) and s.rest[:1].isdigit()),
        "a field name must start with a letter",
    ),
    (
        _all(_wants("`]`"), lambda s: s.before.endswith(("[", ",")) and s.rest[:1] == "*"),
        "leave a position empty for any field, or write ... for any number of fields",
    ),
    (_all(_wants("`]`"), _starts("$")), "write a field of a space-delimited pattern as a name, without `$.`"),
    (
        _all(_wants("`]`"), _is_word("NOT", "IS", "EXISTS")),
        "a field can only be compared, with =, !=, <, <=, > or >=",
    ),
    (
        _wants("`]`"),
        "separate fields with commas: [name, name = value, ...]; put values with other characters in double quotes",
    ),
]


def _quoted_rest(slip: _Slip) -> str:
    """The term around the place as it should be quoted, its mark before the quotes."""
    start = max(slip.text.rfind(blank, 0, slip.at) for blank in BLANKS) + 1
    term = shorten(slip.text[start:].split(maxsplit=1)[0], 40)
    mark = term[0] if term[0] in "-?" else ""
    return mark + _quoted(term.removeprefix(mark).strip("\"'“”‘’"))
