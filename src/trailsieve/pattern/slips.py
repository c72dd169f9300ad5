"""Common slips in patterns, each with what to write instead.

`_SLIPS` lists them by what the grammar expected: the first row that fits gives the hint.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain

from trailsieve.errors import shorten, visible
from trailsieve.pattern.addresses import in_pattern, ranges
from trailsieve.pattern.lenient_columns import numbered
from trailsieve.pattern.lenient_conditions import conditions, names_an_index
from trailsieve.pattern.lenient_pipes import is_pipeline
from trailsieve.pattern.lenient_text import XML_ESCAPE, is_query
from trailsieve.pattern.lenient_tokens import placeholder
from trailsieve.pattern.render import quoted
from trailsieve.pattern.slip import BLANKS, BRACES_HINT, NULL_HINT, Slip

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
    "=!": "write != for `is not`",
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
    "BETWEEN": "write two comparisons: $.field >= 1 && $.field <= 5",
}


def quote_hint(token: str) -> str:
    """The hint to quote a value."""
    return f"put the value in double quotes: {_quoted(token)}"


def _quoted(token: str) -> str:
    return visible(quoted(token))


def hint_for(slip: Slip) -> str:
    """What to write instead, or ""."""
    if slip.rest and not slip.rest[0].isprintable():
        return "remove it; editors show it as a blank or not at all"
    in_text = slip.text[:1] not in "{[%"
    tables = [_TEXT_SLIPS] if in_text else [rows for wanted, rows in _SLIPS if wanted in slip.expected]
    for test, hint in chain(_FOREIGN_SLIPS, *tables):
        if test(slip) if callable(test) else slip.rest.startswith(test):
            written = hint(slip) if callable(hint) else hint
            return written + (_ONE_WILDCARD if _WILDCARDS.search(slip.text) else "")
    return ""


def _is_word(*words: str) -> Callable[[Slip], bool]:
    return lambda slip: slip.word.upper() in words


def _is_join(word: str, sign: str) -> Callable[[Slip], bool]:
    single = re.compile(rf"{re.escape(sign)}(?!{re.escape(sign)})")
    return lambda slip: slip.word.upper() == word or bool(single.match(slip.rest))


def _begins_column(slip: Slip) -> bool:
    return slip.before.endswith(("[", ","))


def _lone_value(slip: Slip) -> bool:
    """A value instead of a condition: `$.a = "x" || "y"`."""
    if not slip.before.endswith(("||", "&&")):
        return False
    value = _VALUE.match(slip.rest)
    return value is not None and slip.rest[value.end() :].lstrip(BLANKS)[:1] in ("", "}", ")", "|", "&")


def _named_field(slip: Slip) -> str:
    """The selector that a word or quoted name was meant to be."""
    name = slip.rest[1:].partition(slip.rest[0])[0] if slip.rest[0] in "\"'" else slip.word
    name = name.removeprefix("$").lstrip(".")
    return f"$.{visible(name)}" if _NAME.fullmatch(name) else "$.eventName"


def _quote_whole_value(slip: Slip) -> str:
    start = max(slip.before.rfind(character) for character in "=<>") + 1
    value = slip.text[start:]
    end = min(
        (at for at in (value.find(stop) for stop in (")", "&&", "||", "}")) if at >= 0), default=len(value)
    )
    return quote_hint(" ".join(value[:end].split()).strip('"'))


# In one selector; CloudWatch takes one (rule 25).
_WILDCARDS = re.compile(r"\[\*?\][^\s=<>!\[]*\[\*?\]")
_ONE_WILDCARD = "; a selector can have at most one [*]: use an index such as [0] for the others"


def _address_ranges(slip: Slip) -> list[str]:
    """Ranges in conditions; a text pattern may look for one."""
    return ranges(slip.text) if slip.json or conditions(slip.text) else []


def _range_hint(slip: Slip) -> str:
    first = _address_ranges(slip)[0]
    written = in_pattern(first)
    return f"there are no address ranges, only text: for {first} write {written if written[0] == '%' else quoted(written)}"


_ROOT_INDEX = re.compile(r"\$\.?\[[0-9*]")
_ODD_KEY = re.compile(r"\$\[|\$\.[^\s.=<>!})]")
_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_VALUE = re.compile(r'"[^"]*"|%[^%]*%|[\w.*+\-]+')
_Row = tuple[str | tuple[str, ...] | Callable[[Slip], object], str | Callable[[Slip], str]]
_NO_FUNCTIONS = (
    "there are no functions, only comparisons of fields; a regex can test the length of a text, %^.{3,}$%, "
    "or letters in either case, %[Xx]%"
)
_ANY_SESSION = re.compile(
    r"\((?:[$@]?\.?[\w.]+\.)?sessionContext\)|sessionContext\s+(?:IS\s+NOT\s+NULL|(?<!NOT )EXISTS)\b",
    re.IGNORECASE,
)
_FLAGS_HINT = "a regex takes no flags; write [Xx] for a letter in either case"
# Whatever the grammar expected: text that was meant for another program.
_FOREIGN_SLIPS: list[_Row] = [
    (
        lambda s: _ANY_SESSION.search(s.text),
        "sessionContext is an object that holds objects, which no comparison matches: test a field in it, "
        "such as $.userIdentity.sessionContext.sessionIssuer.arn",
    ),
    (
        lambda s: placeholder(s.text),
        lambda s: f"{visible(placeholder(s.text))} is a placeholder of a template: fill it in first",
    ),
    (
        lambda s: is_query(s.text),
        "this is a query of Logs Insights, another language; a filter pattern is only the condition",
    ),
    (_address_ranges, _range_hint),
    (
        lambda s: XML_ESCAPE.search(s.text),
        "write the characters themselves, not the escapes of XML: && instead of &amp;&amp;",
    ),
    (
        lambda s: re.match(r'\\["$]', s.rest) and not s.in_quotes,
        "remove the backslashes: a shell or JSON needs them, the pattern itself does not",
    ),
    (
        lambda s: re.match(r"""['"`]\s*[{\[%].*[}\]%]\s*['"`]\s*\Z""", s.text, re.DOTALL),
        "remove the quotes around the pattern: a shell needs them, the pattern itself does not",
    ),
]
_TEXT_SLIPS: list[_Row] = [
    (
        lambda s: s.text.lstrip(BLANKS)[:1] in "{[%" and s.text[:1] in BLANKS,
        "remove the blanks: a JSON, space-delimited or regex pattern starts at the first character",
    ),
    (
        lambda s: numbered(s.text),
        "a space-delimited pattern names the columns from the left: [a, b, c = value, ...]",
    ),
    (
        lambda s: is_pipeline(s.text) and not conditions(s.text),
        "a filter pattern is only the condition: leave out the pipe and the command after it",
    ),
    (
        lambda s: names_an_index(s.text) and conditions(s.text),
        f"leave out index and sourcetype: the log group says which events are searched; {BRACES_HINT}",
    ),
    (lambda s: "$." in s.text or conditions(s.text), BRACES_HINT),
    (
        lambda s: re.fullmatch(r"/.+/[a-z]{0,3}", s.text.strip()),
        "write a regex between percent signs, without flags: %regex%",
    ),
    (
        lambda s: re.match(r'\\?"[\w.-]+\\?"\s*:', s.text),
        f"{BRACES_HINT}; or quote all of the text, with \\ before each quote in it",
    ),
    ('"', 'close the quoted term with a second "'),
    (("-", "?"), "put the word right after `-` or `?`"),
    ("&", "leave out the &&: terms next to each other must all occur"),
    ("|", "to match any of several terms, put ? before each: ?this ?that"),
    (
        "!",
        'put - before a term to exclude it: -this (on a command line after --); or quote it: "!"',
    ),
    (("'", "‘", "`"), lambda s: f"put a phrase in double quotes: {_phrase(s)}"),
    ("%", "a regex cannot be combined with terms; quote a % to search for it"),
    (
        lambda s: re.match(r"\(.*\b(?:OR|or)\b|\(.*\||\(\s*\?", s.rest),
        "terms cannot be grouped: a regex can look for any of several texts, %this|that%",
    ),
    ("*", "remove the *: a term is found anywhere in the event; quote a * to search for it"),
    ("", lambda s: _TEXT_HINT + _quoted_rest(s)),
]
_END_SLIPS: list[_Row] = [
    (lambda s: s.json, "put further conditions inside the braces, joined with && or ||"),
    (lambda s: s.text[0] == "%" and s.before.endswith("%") and s.word.isalpha() and not s.blank, _FLAGS_HINT),
    (lambda s: s.text[0] == "%", "write a single regex and join alternatives with |: %a|b%"),
    (
        "",
        "remove what follows, or move it inside the brackets as a field; "
        "put a text that begins with [ in double quotes",
    ),
]
_SIGN_SLIPS: list[_Row] = [
    (
        lambda s: re.match(r"[=!<>]+\s*(?:null|none|nil|undefined)\b", s.rest, re.IGNORECASE) and s.json,
        NULL_HINT,
    ),
    (
        lambda s: re.match(r"=+\s*(?:true|false)\b", s.rest, re.IGNORECASE) and s.json,
        "test a boolean with IS TRUE or IS FALSE",
    ),
    (
        lambda s: s.signs in _SIGNS and ("a comparison" in s.expected or "a value" in s.expected),
        lambda s: _SIGNS[s.signs],
    ),
    ("==", "use a single `=`"),
    (_is_join("AND", "&"), "write && for `and`"),
    (_is_join("OR", "|"), "write || for `or`"),
]
_IS_SLIPS: list[_Row] = [
    (
        _is_word("EXISTS", "EXIST", "PRESENT"),
        'there is no IS EXISTS; `$.field = "*"` matches any string or number, `$.field NOT EXISTS` an absent field',
    ),
    (
        _is_word("NOT"),
        'there is no IS NOT; `$.field = "*"` matches any string or number, `$.field NOT EXISTS` an absent field',
    ),
    ("", "IS takes NULL, TRUE or FALSE only; compare text and numbers with ="),
]
_NOT_HINT = "NOT takes EXISTS only: `$.field NOT EXISTS` matches an absent field; write != for `is not`"
_EXISTS_HINT = 'there is no EXISTS, only NOT EXISTS; `$.field = "*"` matches any string or number'
_VALUE_SLIPS: list[_Row] = [
    ("$.", "two fields cannot be compared with each other, only a field with a fixed value"),
    ("'", 'put values in double quotes: "value"'),
    (("“", "”", "„", "‘", "’", "`"), 'put values in straight double quotes: "value"'),
    (lambda s: s.json and s.rest.startswith(("(", "[", "{")), _WORDS["IN"]),
    ("/", lambda s: f"{quote_hint(s.word)}; write a regex as %regex%"),
    (
        lambda s: s.rest and s.rest[0] not in ")}],&|",
        lambda s: quote_hint(s.word) if s.word else "put values with other characters in double quotes",
    ),
    ("", 'write a value after the comparison: a word, a number, "text" or %regex%'),
]
_REPEAT_HINT = 'repeat the field in each condition: $.field = "a" || $.field = "b"'
_TERM_SLIPS: list[_Row] = [
    (lambda s: s.rest[:1] in tuple("=<>") and s.before.endswith(("||", "&&")), _REPEAT_HINT),
    (lambda s: s.rest.startswith("!=") and s.before.endswith(("||", "&&")), _REPEAT_HINT),
    (("=", "<", ">", "!="), "the field is missing; write it before the comparison: $.field = value"),
    (
        lambda s: re.match(r'\{\s*"[^"]*"\s*:', s.text),
        'this is JSON, not a pattern; write a comparison for each value: $.field = "value"',
    ),
    (
        lambda s: re.match(r"""(?:[-+.\d]+|"[^"]*"|'[^']*')\s+(?:NOT\s+)?IN\s+\$""", s.rest, re.IGNORECASE),
        "write the field first; [*] selects all elements: $.list[*] = value",
    ),
    (
        lambda s: re.match(r"""(?:[-+.\d]+|"[^"]*")\s*(?:[<>=!]+|\bbetween\b)\s*\$""", s.rest, re.IGNORECASE),
        "write the field first; a range is two comparisons: $.field > 1 && $.field < 5",
    ),
    (
        lambda s: s.word.upper() != "NOT" and re.match(r"[A-Za-z_]\w*\s*\([^)]*[$@\w]", s.rest),
        _NO_FUNCTIONS,
    ),
    (
        "$..",
        "`..` does not exist: write the whole path, such as $.a.b; * stands for one step: $.*.b",
    ),
    ("!", "there is no `!`; write != in the term, or NOT EXISTS"),
    (
        _is_word("NOT"),
        "there is no NOT before a condition; write != in the term, or NOT EXISTS after its selector",
    ),
    ("{", "one pair of braces encloses the whole pattern; group conditions with ( )"),
    (("&&", "||"), "&& and || need a condition on both sides"),
    (_lone_value, _REPEAT_HINT),
    (('"', "'"), lambda s: f"write a field without quotes, after `$.`: {_named_field(s)}"),
    (lambda s: _ROOT_INDEX.match(s.rest), "an event is an object, not an array: $.field[0]"),
    (lambda s: _ODD_KEY.match(s.rest), _KEY_HINT),
    ("$", lambda s: f"a selector starts with `$.` and a field name: {_named_field(s)}"),
    (lambda s: s.word, lambda s: f"a field starts with `$.`: {_named_field(s)}"),
    (lambda s: not s.rest or s.rest[0] in "})", "write a condition: $.field = value"),
]
_COMPARISON_SLIPS: list[_Row] = [
    (lambda s: s.word.upper() in _WORDS, lambda s: _WORDS[s.word.upper()]),
    (
        ("[?", ".[?"),
        "there are no filters in brackets; [*] selects all elements: $.list[*].field = value",
    ),
    (("['", '["', ".[", '."', ".'"), _KEY_HINT),
    ("(", _NO_FUNCTIONS),
    ("[", "an index is a whole number from 0: $.list[0], or $.list[*] for any"),
    ("..", "write one dot before each name: $.a.b"),
    ("*", "a wildcard is a step of its own: $.list[*] or $.object.*"),
    (".", f"{_KEY_HINT}; one wildcard step is [*] or .*"),
    (
        lambda s: s.json,
        "a selector is followed by =, !=, <, <=, >, >=, IS NULL, IS TRUE, IS FALSE or NOT EXISTS",
    ),
]
_CLOSING_SLIPS: list[_Row] = [
    ("%", "close the regex with a second %"),
    ("", 'close the quoted value with a second "; write \\" for a quote inside it'),
]
_JOIN_SLIPS: list[_Row] = [
    (lambda s: s.json and not s.rest, "close the pattern with }"),
    (lambda s: s.before.endswith("%") and s.word.isalpha() and not s.blank, _FLAGS_HINT),
    (
        lambda s: s.json and s.before.endswith('"'),
        'the value ended at its second "; write \\" for a quote inside it, && or || before a further condition',
    ),
    (("<", ">"), "a range is two comparisons: $.field > 1 && $.field < 5"),
    (("$", "("), _JOIN_HINT),
    # A bare value ended at a character that needs quotes, or at a blank before another word.
    (lambda s: s.json and s.rest and s.rest[0] not in "})(&|,$", _quote_whole_value),
]
_BRACKET_SLIPS: list[_Row] = [
    (lambda s: not s.rest, "close the pattern with ]"),
    (
        lambda s: _begins_column(s) and s.rest[0] in "=!<>",
        "name the column before the comparison: name = value",
    ),
    ("=", "use a single `=`"),
    (
        lambda s: _begins_column(s) and re.match(r"[\d.]+\s*[<>=]", s.rest),
        "write the name first; a range is two comparisons: name > 1 && name < 5",
    ),
    (lambda s: _begins_column(s) and s.rest[0].isdigit(), "a field name must start with a letter"),
    (
        lambda s: _begins_column(s) and s.rest[0] == "*",
        "leave a position empty for any field, or write ... for any number of fields",
    ),
    (
        lambda s: _begins_column(s) and s.rest[0] in "\"'",
        "write the names of columns without quotes: [ip, status = 404]; and terms without brackets",
    ),
    (
        lambda s: s.word.upper() in _WORDS,
        lambda s: _WORDS[s.word.upper()].replace("$.field", "name").replace("(", "").replace(")", ""),
    ),
    ("$", "write a field of a space-delimited pattern as a name, without `$.`"),
    (_is_word("NOT", "IS", "EXISTS"), "a field can only be compared, with =, !=, <, <=, > or >="),
    (
        "",
        "separate fields with commas: [name, name = value, ...]; put values with other characters in double quotes",
    ),
]
# What the grammar expected ("" for anything), and what stands there instead: the start of the text, or a test.
_SLIPS: list[tuple[str, list[_Row]]] = [
    ("nothing may follow", _END_SLIPS),
    ("", _SIGN_SLIPS),
    ("NULL, TRUE", _IS_SLIPS),
    (
        "expected EXISTS",
        [
            (_is_word("NULL"), 'write `$.field = "*"`, which matches any string or number'),
            (_is_word(*_WORDS), "write != for each value or text that is excluded"),
            ("", _NOT_HINT),
        ],
    ),
    ("", [(_is_word("EXISTS"), _EXISTS_HINT)]),
    ("a value", _VALUE_SLIPS),
    ("term or (", _TERM_SLIPS),
    ("a comparison", _COMPARISON_SLIPS),
    ("a closing", _CLOSING_SLIPS),
    ("", [(lambda s: re.match(r"\d,\d{3}(?!\d)", s.text[s.at - 1 :]), "write numbers without commas: 1000")]),
    ("", [(lambda s: s.json and s.rest.startswith((",", ";")), _JOIN_HINT)]),
    ("`)`", [(lambda s: not s.rest or s.rest[0] == "}", "a ( is not closed: write ) where its group ends")]),
    ("`&&`", _JOIN_SLIPS),
    ("`}`", [(")", "a ) has no matching ("), ("", "close the pattern with }")]),
    ("`]`", _BRACKET_SLIPS),
]


def _phrase(slip: Slip) -> str:
    """What stands between other quotes at the place, in double quotes."""
    closing = "’" if slip.rest[0] == "‘" else slip.rest[0]
    return _quoted(shorten(slip.rest[1:].partition(closing)[0], 40))


def _quoted_rest(slip: Slip) -> str:
    """The term around the place as it should be quoted, its mark before the quotes."""
    start = max(slip.text.rfind(blank, 0, slip.at) for blank in BLANKS) + 1
    term = shorten(slip.text[start:].split(maxsplit=1)[0], 40)
    mark = term[0] if term[0] in "-?" else ""
    return mark + _quoted(term.removeprefix(mark).strip("\"'“”‘’"))
