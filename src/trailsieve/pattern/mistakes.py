"""What a refused pattern is told: the usual slips, each with what to write instead.

`_SLIPS` is the list to extend: the first entry whose test holds gives the hint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trailsieve.errors import PatternError, visible
from trailsieve.pattern.grammar import BLANKS
from trailsieve.pattern.nodes import Regex, String, Value

NULL_HINT = "write `$.field IS NULL`; for an absent field `$.field NOT EXISTS`"
_WORD_BREAKS = BLANKS + "(){}[]&|=!<>,\"'%"
_END = "the end of the pattern"


def explain(text: str, place: int, expected: str) -> PatternError:
    """The error for a pattern that stops making sense at offset `place`.

    Args:
        expected: pyparsing's "Expected …", made of the grammar's own names.
    """
    if expected == "Expected end of text" and text[:1] in "{[%":
        expected = f"the pattern ends with its `{_closing(text)}`: nothing may follow it"
        return located(text, place, expected, _hint(_Slip(text, _skip(text, place), expected)))
    at = _skip(text, place)
    if "immediately followed by" in expected:  # a keyword with more letters after it
        expected = "Expected a comparison"
    wanted = expected.replace("Expected ", "expected ").replace("expected end of text", "expected a term")
    hint = _hint(_Slip(text, at, wanted))
    return located(text, at, f"{wanted}, found {_found(text, at)}", hint)


def located(text: str, start: int, message: str, hint: str = "") -> PatternError:
    """A `PatternError` at an offset counted from 0."""
    return PatternError(message, min(start, len(text)) + 1, hint, text)


def quote_hint(token: str) -> str:
    """Tells to quote a value."""
    return f'put the value in double quotes: "{visible(token)}"'


def order_hint(operator: str, value: Value) -> str:
    """Tells what the right side of `<` and its kin may be (rule 37)."""
    if isinstance(value, Regex):
        return "a regex goes with = or !="
    if isinstance(value, String) and value.quoted and value.text.strip("+-").replace(".", "", 1).isdigit():
        return f"write the number without quotes: {operator} {value.text}"
    return f"write a number, such as {operator} 400; text can only be tested with = and !="


def _closing(text: str) -> str:
    return {"{": "}", "[": "]", "%": "%"}[text[0]]


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in BLANKS:
        place += 1
    return place


def _found(text: str, at: int) -> str:
    if at >= len(text):
        return _END
    word = _word(text, at) or text[at]
    return f"`{visible(word[:30])}`"


def _word(text: str, at: int) -> str:
    end = at
    while end < len(text) and text[end] not in _WORD_BREAKS:
        end += 1
    return text[at:end]


@dataclass(frozen=True, slots=True)
class _Slip:
    """A failure as the tests below see it."""

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
    """A bare value stopped at a character that needs quotes, or at a blank before another word."""
    return slip.json and "`&&`" in slip.expected and bool(slip.rest) and slip.rest[0] not in "})(&|,$"


def _quote_whole_value(slip: _Slip) -> str:
    start = max(slip.before.rfind(character) for character in "=<>") + 1
    value = slip.text[start:]
    end = min(
        (at for at in (value.find(stop) for stop in (")", "&&", "||", "}")) if at >= 0), default=len(value)
    )
    return quote_hint(value[:end].strip(BLANKS).replace('"', ""))


_Hint = str | Callable[[_Slip], str]
_SLIPS: list[tuple[Callable[[_Slip], bool], _Hint]] = [
    (
        lambda s: _text_term(s) and s.text.lstrip(BLANKS)[:1] in "{[%" and s.text[:1] in BLANKS,
        "a JSON, space-delimited or regex pattern starts with its first character: no blank before it",
    ),
    (_selector_in_text, "a condition on fields stands in braces: { $.field = value }"),
    (lambda s: _text_term(s) and s.rest.startswith('"'), 'close the quoted term with a second "'),
    (lambda s: _text_term(s) and s.rest[:1] in "-?" and bool(s.rest), "put the word right after `-` or `?`"),
    (
        _text_term,
        lambda s: (
            f"put a term with other characters than letters, digits, _ and . in double quotes: {_quoted_rest(s)}"
        ),
    ),
    (
        _all(_wants("nothing may follow"), lambda s: s.json),
        "put further conditions inside the braces, joined with && or ||",
    ),
    (_starts("=="), "one `=` compares"),
    (_starts("=~"), "a regex stands between percent signs: $.field = %regex%"),
    (_starts("<>"), "write != for `is not`"),
    (_is_word("AND"), "write && for `and`"),
    (_is_word("OR"), "write || for `or`"),
    (lambda s: s.rest[:1] == "&" and s.rest[:2] != "&&", "write && for `and`"),
    (lambda s: s.rest[:1] == "|" and s.rest[:2] != "||", "write || for `or`"),
    (
        _all(_wants("NULL, TRUE"), _is_word("NOT")),
        'there is no IS NOT; `$.field = "*"` is true for any string or number, `$.field NOT EXISTS` for none',
    ),
    (
        _is_word("EXISTS"),
        'there is no EXISTS, only NOT EXISTS; `$.field = "*"` is true for any string or number',
    ),
    (
        _is_word("IN", "LIKE", "CONTAINS", "MATCHES"),
        'use `=` with wildcards ("*part*"), or several terms joined with ||',
    ),
    (
        lambda s: s.rest.startswith("'") and ".[" not in s.before[-2:],
        'values stand in double quotes: "value"',
    ),
    (_all(_wants("term or ("), _starts("!")), "there is no `!`; write != in the term, or NOT EXISTS"),
    (
        _all(_wants("term or ("), _starts("$[", "$.[", '$."')),
        "a key with other characters is written $.['the key']",
    ),
    (
        _all(_wants("term or ("), lambda s: s.rest[:1] == "$"),
        "a selector starts with `$.` and a field name: $.eventName",
    ),
    (
        _all(_wants("term or ("), lambda s: bool(s.word)),
        lambda s: f"a field starts with `$.`: $.{visible(s.word)}",
    ),
    (
        _all(_wants("term or ("), lambda s: not s.rest or s.rest[0] in "})"),
        "write a condition: $.field = value",
    ),
    (
        _all(_wants("a comparison"), _starts("[")),
        "an index is a whole number from 0: $.list[0], or $.list[*] for any",
    ),
    (
        _all(_wants("a comparison"), lambda s: s.rest.startswith(".")),
        "a key with other characters is written $.['the key']; one wildcard step is [*] or .*",
    ),
    (
        _all(_wants("a comparison"), lambda s: s.json),
        "after the selector comes =, !=, <, <=, >, >=, IS NULL, IS TRUE, IS FALSE or NOT EXISTS",
    ),
    (
        _wants("a closing"),
        lambda s: (
            "a `%` opens a regex, which ends with a second %"
            if s.rest[:1] == "%"
            else 'close the quoted value with a second "; write \\" for a quote inside it'
        ),
    ),
    (_all(_wants("a value"), _starts("=")), "one `=` compares"),
    (
        _all(_wants("a value"), lambda s: bool(s.rest) and s.rest[0] not in ")}],&|"),
        lambda s: quote_hint(s.word) if s.word else "put a value with other characters in double quotes",
    ),
    (_wants("a value"), 'write a value after the comparison: a word, a number, "text" or %regex%'),
    (lambda s: s.json and s.rest.startswith(","), "join conditions with && or ||"),
    (_bare_value_went_on, _quote_whole_value),
    (lambda s: "`&&`" in s.expected and s.rest[:1] == "$", "join conditions with && or ||"),
    (_all(_wants("`)`"), lambda s: not s.rest or s.rest[0] == "}"), "one ( is not closed"),
    (_all(_wants("`}`"), _starts(")")), "one ) closes nothing"),
    (_wants("`}`"), "close the pattern with }"),
    (
        _all(_wants("`]`"), lambda s: s.before.endswith(("[", ",")) and s.rest[:1].isdigit()),
        "a field name starts with a letter",
    ),
    (_all(_wants("`]`"), lambda s: not s.rest), "close the pattern with ]"),
    (
        _wants("`]`"),
        "fields stand between commas: [name, name = value, ...]; other characters need double quotes",
    ),
]


def _quoted_rest(slip: _Slip) -> str:
    start = max(slip.text.rfind(blank, 0, slip.at) for blank in BLANKS) + 1
    term = slip.text[start:].split(maxsplit=1)
    return f'"{visible(term[0].strip(chr(34))[:40])}"' if term else '"…"'
