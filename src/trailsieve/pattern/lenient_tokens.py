"""The fields and values in conditions as people write them: quotes, escapes and selectors of all kinds."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from decimal import Decimal

from trailsieve.errors import UnclearError
from trailsieve.pattern import nodes
from trailsieve.pattern.regex import in_either_case, without_groups


class Kind(enum.Enum):
    """What a token looks like."""

    FIELD = "field"
    TEXT = "text in quotes"
    WORD = "word"
    REGEX = "regex"


_STEP = re.compile(
    r"""\.?\[\s*(?:(?P<index>\d+)|(?P<all>\*?)|(?P<q>["'])(?P<key>[^"']+)(?P=q))\s*\]"""
    r"""|\.?\[\?\(?\s*@\.?(?P<inner>[\w.\-]+)\s*(?:(?P<operator>===?|=|!==?|!=|<=|>=|<|>)\s*(?P<value>"[^"]*"|'[^']*'|[\w.\-]+))?\s*\)?\]"""
    r"""|\.(?P<wild>\*)|\.?["'](?P<quoted>[^"']+)["']|\.(?P<name>[\w-]+)"""
)
_FIELD = re.compile(r"\\?\$(?=[.\[\w\"'])|@(?=\w)")
_QUOTED_FIELD = re.compile(r"""(["'`])\\?(\$[.\[][^"'`]+)\1""")
_TEXT = re.compile(
    r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|[“”„]([^“”]*)[“”]|[‘’]([^‘’]*)[‘’]|`([^`]*)`', re.DOTALL
)
_REGEX = re.compile(r"%([^%]+)%([a-z]*)|/((?:[^/\\]|\\.)+)/([a-z]*)(?![\w/])")
_WORD = re.compile(r"""[^\s()&|=!<>{}"',;]+""")
_NAME = re.compile(r"""[^\s()&|=!<>{}"',;:~]+""")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,9})?")
_BARE = re.compile(r"[\w.*\-]+")
_STOP = re.compile(r"(?:and|or|AND|OR|And|Or)\b")
# The beginning of a further condition, which is not a value: `name IS`, `name: `, `NOT name`.
_TEST_WORD = re.compile(
    r"\A\S+ (?:IS|NOT|IN|I?LIKE|BETWEEN|EXISTS|HAS|CONTAINS?|MATCH(?:ES)?|STARTS_?WITH|ENDS_?WITH)\b"
    r"|\A(?:NOT )?(?!arn:)[A-Z_][\w.]*:(?!:)",
    re.IGNORECASE,
)
_IN_ANGLES = re.compile(r"<[A-Za-z][\w-]*>")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}?|\{\{\s*[\w.]+\s*(?:\|[^}]*)?\}\}|<%[^>]*>?|\$\([^)]*\)?")
_ESCAPE = re.compile(r'\\(["\\])')


def placeholder(text: str) -> str:
    """The first placeholder of a template that was not filled in, `${var.name}` or `{{ name }}`; else ""."""
    found = _PLACEHOLDER.search(text)
    return found[0] if found else ""


def unfilled(value: str) -> str:
    """The first placeholder in a value, `<account-id>` too; else ""."""
    found = _IN_ANGLES.search(value)
    return placeholder(value) or (found[0] if found else "")


@dataclass(frozen=True, slots=True)
class Token:
    """A field or a value.

    Attributes:
        steps: of a field.
        filter_operator: of a field with a filter that compares: `$.a[?(@.b = 1)]`.
        filter_value: what it is compared with.
        flags: of a regex.
        is_path: a regex that may as well be a path: `/health/`.
    """

    kind: Kind
    text: str
    steps: tuple[nodes.Step, ...] = ()
    filtered: bool = False
    filter_operator: str = ""
    filter_text: str = ""
    flags: str = ""
    is_path: bool = False

    @property
    def filter_value(self) -> Token:
        """What a filter compares with."""
        text = self.filter_text
        return Token(Kind.TEXT, text[1:-1]) if text[:1] in "\"'" else Token(Kind.WORD, text)

    def selector(self) -> nodes.Selector:
        """What the token selects as a field.

        Raises:
            UnclearError: it is not a field.
        """
        if self.kind is Kind.FIELD:
            return nodes.Selector(self.steps)
        if self.kind is Kind.REGEX or _NUMBER.fullmatch(self.text):
            raise UnclearError
        found = Scanner(f"$.{self.text.lstrip('.')}").operand()
        if found.kind is not Kind.FIELD or not re.fullmatch(r"[\w.\-\[\]*]+", self.text):
            raise UnclearError
        return nodes.Selector(found.steps)

    def value(self) -> nodes.Value:
        """What the token is as a value.

        Raises:
            UnclearError: it is a field, or a regex with flags or groups that cannot be written otherwise.
        """
        match self.kind:
            case Kind.FIELD:
                raise UnclearError
            case Kind.REGEX:
                return nodes.Regex(plain_regex(self.text, self.flags))
            case Kind.WORD if "%" in self.text:
                if not re.fullmatch("%[^%]+", self.text):
                    raise UnclearError
                return nodes.Regex(plain_regex(self.text[1:]))
            case Kind.WORD if _NUMBER.fullmatch(self.text):
                return nodes.Number(self.text, Decimal(self.text))
            case _:
                bare = self.kind is Kind.WORD and _BARE.fullmatch(self.text)
                return nodes.String(self.text, quoted=not bare)


def in_digits(text: str) -> str:
    """`1_000`, `1,000`, `2 * 1024` and `1 MB` as a number in digits alone; else the text."""
    written = re.fullmatch(
        r"([\d_,.]+)((?:\s*\*\s*[\d_]+)*)\s*(?:([kmgt])i?b?)?", text.strip(), re.IGNORECASE
    )
    if not written or not (written[2] or written[3] or set("_,") & set(text)):
        return text
    factors = [written[1].replace(",", ""), *written[2].replace(" ", "").split("*")[1:]]
    number = Decimal(1)
    try:
        for factor in factors:
            number *= Decimal(factor.replace("_", ""))
    except ArithmeticError:
        return text
    number *= 1024 ** ("kmgt".index(written[3].lower()) + 1 if written[3] else 0)
    return f"{number.normalize():f}"


def plain_regex(source: str, flags: str = "") -> str:
    """A regex without flags, groups and literal blanks (rule 18).

    Raises:
        UnclearError: there is none, or it would be long.
    """
    if source.startswith("(?i)"):
        source, flags = source[4:], "i"
    source = re.sub(r"\\([()])", lambda found: f"\\x{ord(found[1]):02x}", source)
    if "(?" in source:
        raise UnclearError  # a look-ahead or named group
    if "(" in source:
        source = without_groups(source)
    source = source.replace(r"\b", "").replace(r"\/", "/").replace(" ", r"\s")
    source = re.sub(r"\\?([\"'!&<>~`])", lambda found: f"\\x{ord(found[1]):02x}", source)
    if "i" in flags:
        source = in_either_case(source)
    if not source:
        raise UnclearError
    return source


class Scanner:
    """Takes one token after another from a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.joined_by_and = False

    @property
    def at_end(self) -> bool:
        self.skip("")
        return self.place == len(self.text)

    def skip(self, characters: str) -> None:
        """Skips blanks, and some characters."""
        while self.place < len(self.text) and (
            self.text[self.place].isspace() or self.text[self.place] in characters
        ):
            self.place += 1

    def takes(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What follows next, if it is that."""
        self.skip("")
        found = pattern.match(self.text, self.place)
        if found:
            self.place = found.end()
        return found

    def operand(self, *, field: bool = False, spaced: bool = False) -> Token:
        """The next field or value.

        Args:
            field: a field is expected: a word in quotes may be one.
            spaced: take all words up to the next join as one value.

        Raises:
            UnclearError: there is none.
        """
        self.skip("")
        if _PLACEHOLDER.match(self.text, self.place):
            raise UnclearError
        if field and (quoted := self.takes(_QUOTED_FIELD)):
            return Scanner(quoted[2]).operand()
        if self.takes(_FIELD):
            return self._field()
        if text := self.takes(_TEXT):
            content = next((group for group in text.groups() if group is not None), "")
            return Token(Kind.TEXT, _ESCAPE.sub(r"\1", content) if text[1] is not None else content)
        if regex := self.takes(_REGEX):
            source, flags = regex[1] or regex[3], regex[2] or regex[4] or ""
            is_path = bool(regex[3]) and not flags and source.isalnum()
            return Token(Kind.REGEX, source, flags=flags, is_path=is_path)
        word = self.takes(_NAME if field else _WORD)
        if not word:
            raise UnclearError
        return Token(Kind.WORD, self._further_words(word[0]) if spaced else word[0])

    def _further_words(self, text: str) -> str:
        """A value of several words without quotes."""
        self.skip("")
        while not _STOP.match(self.text, self.place) and (word := _WORD.match(self.text, self.place)):
            if word[0].startswith("$"):
                break
            text, self.place = f"{text} {word[0]}", word.end()
            self.skip("")
        return text

    def _field(self) -> Token:
        steps: list[nodes.Step] = []
        first = re.compile(r"[\w-]+").match(self.text, self.place)
        if first:
            steps.append(first[0])
            self.place = first.end()
        filtered, operator, value = False, "", ""
        while step := _STEP.match(self.text, self.place):
            self.place = step.end()
            if filtered and operator:
                raise UnclearError  # a condition in the middle of a selector
            if step["inner"]:
                filtered, operator, value = True, step["operator"] or "", step["value"] or ""
                steps += [nodes.Wildcard.ALL, *step["inner"].split(".")]
            else:
                steps.append(_step(step))
        if not steps or self.text[self.place : self.place + 1] in (".", "["):
            raise UnclearError
        return Token(Kind.FIELD, "", tuple(steps), filtered, operator, value)

    # --- several values ---

    def begins_list(self) -> bool:
        """Whether several values in brackets follow."""
        self.skip("")
        return self.text[self.place : self.place + 1] in ("(", "[", "{")

    def values_in_brackets(self) -> list[Token]:
        """The values in brackets: `("a", "b")`, `[1, 2]`, `("a" || "b")`."""
        if not self.takes(re.compile(r"[(\[{]")):
            return [self.operand()]
        values = []
        while not self.takes(re.compile(r"[)\]}]")):
            values.append(self.operand())
            self.takes(re.compile(r",|\|\|?|(?:or|OR)\b"))
        return values

    def further_values(self, any_of: re.Pattern[str], all_of: re.Pattern[str], operator: str) -> list[Token]:
        """Values that are joined to a comparison without a field of their own: `… || "b"`, `… || = "b"`."""
        values: list[Token] = []
        while True:
            start = self.place
            found = self.takes(any_of)
            joined_by_and = not found and bool(self.takes(all_of))
            value = self._lone_value(operator) if found or joined_by_and else None
            if value is None:
                self.place = start
                return values
            self.joined_by_and = joined_by_and
            values.append(value)

    def _lone_value(self, operator: str) -> Token | None:
        self.takes(re.compile(re.escape(operator)))
        try:
            value = self.operand(spaced=True)
        except UnclearError:
            return None
        self.skip("")
        follows = self.text[self.place : self.place + 1] in ("", ")", "}", "|", "&", ";")
        ends = follows or _STOP.match(self.text, self.place)
        is_condition = value.kind is Kind.WORD and _TEST_WORD.search(value.text)
        return value if value.kind is not Kind.FIELD and ends and not is_condition else None


def _step(found: re.Match[str]) -> nodes.Step:
    if found["index"] is not None:
        return int(found["index"][:18])
    if found["all"] is not None or found["wild"]:
        return nodes.Wildcard.ALL
    name = str(found["key"] or found["quoted"] or found["name"])
    return int(name) if found["name"] and name.isdecimal() and len(name) < 6 else name
