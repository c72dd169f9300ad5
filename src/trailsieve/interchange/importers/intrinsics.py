"""CloudFormation's intrinsic functions, evaluated if the template holds their values.

A value that exists only after deployment, such as the ARN of a topic, is kept as written: `${Topic}`.
Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from trailsieve.errors import UsageError
from trailsieve.interchange.importers.model import Unresolved, joined

NOTHING = object()  # AWS::NoValue
_REFERENCE = re.compile(r"\$\{(!?)([^}]*)\}")
_MAX_STEPS = 200_000  # of one template; YAML anchors can make a small file huge


class Template:
    """A template with values for its parameters.

    Args:
        content: the template, with functions in their long form: `{"Fn::Join": […]}`.
        parameters: instead of the template's defaults.
    """

    def __init__(self, content: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self._mappings = _table(content.get("Mappings"))
        self._conditions = _table(content.get("Conditions"))
        self._parameters: dict[str, Any] = dict(parameters)
        for name, parameter in _table(content.get("Parameters")).items():
            if isinstance(parameter, dict) and "Default" in parameter:
                self._parameters.setdefault(name, _default(parameter))
        self._steps = 0
        self._asking: list[str] = []

    def value(self, given: Any) -> Any:
        """A value with its functions evaluated; `NOTHING` for AWS::NoValue.

        Raises:
            UsageError: the template is too large, or a function has wrong arguments.
        """
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise UsageError("the template is too large: its functions expand to over 200,000 values")
        if isinstance(given, list):
            return [item for item in map(self.value, given) if item is not NOTHING]
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            (name, argument), *_ = given.items()
            function = _FUNCTIONS.get(name)
            if function:
                return self._called(function, name, argument)
            if name.startswith("Fn::"):
                return Unresolved(f"${{{name} {self.value(argument)}}}")
        values = {key: self.value(item) for key, item in given.items()}
        return {key: item for key, item in values.items() if item is not NOTHING}

    def _called(self, function: Callable[[Template, Any], Any], name: str, argument: Any) -> Any:
        try:
            return function(self, argument)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise UsageError(f"{name} has wrong arguments: {argument!r:.200} ({error})") from None

    def holds(self, name: str) -> bool | Unresolved:
        """Whether a condition is true; `Unresolved` if that depends on values outside the template."""
        if name in self._asking:
            raise UsageError(f"condition {name} refers to itself")
        self._asking.append(name)
        try:
            answer = self.value(self._conditions[name]) if name in self._conditions else Unresolved(name)
        finally:
            self._asking.pop()
        return answer if isinstance(answer, bool | Unresolved) else answer in ("true", 1)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        return self._parameters.get(name, Unresolved(f"${{{name}}}"))

    def _sub(self, argument: Any) -> Any:
        text, more = argument if isinstance(argument, list) else (argument, {})
        parts: list[Any] = []
        place = 0
        for found in _REFERENCE.finditer(text):
            parts.append(text[place : found.start()])
            place, name = found.end(), found[2].strip()
            if found[1]:
                parts.append(f"${{{found[2]}}}")  # ${!Literal}
            else:
                parts.append(self.value(more[name]) if name in more else self._ref(name))
        return joined([*parts, text[place:]])

    def _join(self, argument: Any) -> Any:
        between, items = argument[0], self.value(argument[1])
        if isinstance(items, Unresolved):
            return items
        parts = [part for item in items for part in (between, item)]
        return joined(parts[1:])

    def _select(self, argument: Any) -> Any:
        items = self.value(argument[1])
        return items if isinstance(items, Unresolved) else items[int(self.value(argument[0]))]

    def _split(self, argument: Any) -> Any:
        text = self.value(argument[1])
        return text if isinstance(text, Unresolved) else str(text).split(argument[0])

    def _find(self, argument: Any) -> Any:
        names = [self.value(name) for name in argument[:3]]
        if any(isinstance(name, Unresolved) for name in names):
            more = argument[3] if len(argument) > 3 else {}
            if isinstance(more, dict) and "DefaultValue" in more:
                return self.value(more["DefaultValue"])
            return Unresolved(f"${{{'.'.join(map(str, names))}}}")
        table = self._mappings[str(names[0])]
        return self.value(table[str(names[1])][str(names[2])])

    def _attribute(self, argument: Any) -> Any:
        return Unresolved(f"${{{argument if isinstance(argument, str) else '.'.join(map(str, argument))}}}")

    def _if(self, argument: Any) -> Any:
        holds = self.holds(argument[0])
        if isinstance(holds, Unresolved):
            return Unresolved(f"${{{holds}?}}")
        return self.value(argument[1] if holds else argument[2])

    def _all(self, argument: Any) -> Any:
        return self._combined(argument, decisive=False)

    def _any(self, argument: Any) -> Any:
        return self._combined(argument, decisive=True)

    def _combined(self, argument: Any, decisive: bool) -> Any:
        values = [self.value(item) for item in argument]
        if any(item is decisive for item in values):
            return decisive
        return next((item for item in values if isinstance(item, Unresolved)), not decisive)

    def _not(self, argument: Any) -> Any:
        value = self.value(argument[0])
        return value if isinstance(value, Unresolved) else not value

    def _equals(self, argument: Any) -> Any:
        one, other = (self.value(item) for item in argument)
        late = [item for item in (one, other) if isinstance(item, Unresolved)]
        return late[0] if late else str(one) == str(other)

    def _base64(self, argument: Any) -> Any:
        text = self.value(argument)
        return text if isinstance(text, Unresolved) else base64.b64encode(str(text).encode()).decode()


def _table(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}


def _default(parameter: dict[str, Any]) -> Any:
    """The default of a parameter; lists are separated by commas."""
    default = parameter["Default"]
    if str(parameter.get("Type")).endswith(("CommaDelimitedList", "List<Number>")):
        return [part.strip() for part in str(default).split(",")]
    return Unresolved(f"${{{default}}}") if str(parameter.get("Type")).startswith("AWS::SSM") else default


_FUNCTIONS: dict[str, Callable[[Template, Any], Any]] = {
    "Ref": Template._ref,
    "Condition": Template.holds,
    "Fn::Sub": Template._sub,
    "Fn::Join": Template._join,
    "Fn::Select": Template._select,
    "Fn::Split": Template._split,
    "Fn::FindInMap": Template._find,
    "Fn::GetAtt": Template._attribute,
    "Fn::If": Template._if,
    "Fn::And": Template._all,
    "Fn::Or": Template._any,
    "Fn::Not": Template._not,
    "Fn::Equals": Template._equals,
    "Fn::Base64": Template._base64,
}
