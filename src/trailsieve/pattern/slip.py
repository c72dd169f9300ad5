"""The place at which a pattern cannot be parsed, as the table of slips looks at it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Line breaks inside braces count as blanks (rule 4, INFERRED).
BLANKS = " \t\r\n"
NULL_HINT = "write `$.field NOT EXISTS` for an absent field, `$.field IS NULL` for null"
BRACES_HINT = "put conditions on fields in braces: { $.field = value }"
_WORD_END = re.compile(r"""[ \t\r\n(){}\[\]&|=!<>,"'%]""")


def word_at(text: str, at: int) -> str:
    """The word that begins at an offset."""
    return _WORD_END.split(text[at:], maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Slip:
    """A parse failure, as the tests below look at it."""

    text: str
    at: int
    expected: str

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    @property
    def blank(self) -> bool:
        """Whether a blank stands before the place."""
        return self.text[self.at - 1 : self.at] in tuple(BLANKS)

    @property
    def before(self) -> str:
        return self.text[: self.at].rstrip(BLANKS)

    @property
    def word(self) -> str:
        return word_at(self.text, self.at)

    @property
    def in_quotes(self) -> bool:
        """Whether a quoted value begins before the place and is not closed."""
        return len(re.findall(r'(?<!\\)"', self.text[: self.at])) % 2 == 1

    @property
    def json(self) -> bool:
        return self.text.startswith("{")

    @property
    def signs(self) -> str:
        """The run of comparison signs around the place."""
        return "".join(
            re.findall(r"[=<>!~]+\Z", self.text[: self.at]) + re.findall(r"\A[=<>!~:]+", self.rest)
        )
