"""The tokens of JSON patterns as regular expressions, for the grammar and for the quick reader."""

from __future__ import annotations

SELECTOR_STEP = r"\.[\w-]+|\.\*|\.\['[^']+'\]|\[[0-9]+\]|\[\*\]"
SELECTOR = rf"\$(?:\.[\w-]+|\.\*|\.\['[^']+'\])(?:{SELECTOR_STEP})*"
OPERATOR = r"<=|>=|!=|=(?!=)|<|>"
QUOTED = r'"(?:[^"\\]|\\.)*"'
REGEX = r"%[^%]*%"
BARE = r"[\w.*+\-]+"
