"""The table that AWS documents for CloudTrail logs: what SQL calls the fields of a record.

Source: docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html
"""

from __future__ import annotations

from dataclasses import dataclass

from trailsieve.interchange.exporters.model import FREE_FORM, InexpressibleError
from trailsieve.pattern.nodes import Selector

_COLUMNS = {  # that hold text
    *("eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent"),
    *("errorCode", "errorMessage", "requestID", "eventID", "eventType", "apiVersion", "readOnly"),
    *("recipientAccountId", "sharedEventID", "vpcEndpointId", "eventCategory"),
    "sessionCredentialFromConsole",
}
_STRUCTS = {
    "userIdentity": {
        *("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName"),
        *("sessionContext.attributes.mfaAuthenticated", "sessionContext.attributes.creationDate"),
        *("sessionContext.sessionIssuer.type", "sessionContext.sessionIssuer.principalId"),
        *("sessionContext.sessionIssuer.arn", "sessionContext.sessionIssuer.accountId"),
        "sessionContext.sessionIssuer.userName",
    },
    "tlsDetails": {"tlsVersion", "cipherSuite", "clientProvidedHostHeader"},
}
_JSON_COLUMNS = {name.lower() for name in FREE_FORM}


@dataclass(frozen=True, slots=True)
class Column:
    """What SQL calls a field.

    Attributes:
        text: its value as text.
        json: its value as the text of JSON, which shows its type; "" for a column of text.
        value: is NULL where the field is absent.
    """

    text: str
    json: str
    value: str

    @property
    def is_json(self) -> bool:
        """Whether the column holds JSON as a whole, which no pattern can compare (rule 29)."""
        return self.text in _JSON_COLUMNS

    @property
    def double(self) -> str:
        """Its value as a number; NULL for others."""
        return f"TRY_CAST({self.json or self.text} AS DOUBLE)"

    @property
    def has_text(self) -> str:
        """A condition that is true of strings and numbers (rules 27 to 29)."""
        return f"""regexp_like({self.json}, '^["0-9-]')"""


def quoted(text: str) -> str:
    """A text as a SQL literal.

    Raises:
        InexpressibleError: it holds a control character.
    """
    if not text.isprintable():
        raise InexpressibleError("a value holds a control character")
    return "'" + text.replace("'", "''") + "'"


def column(selector: Selector) -> Column:
    """A column, a field of one, or a path in the JSON that one holds.

    Raises:
        InexpressibleError: the table does not have the field.
    """
    first, *rest = selector.steps
    if not all(isinstance(step, str | int) for step in rest):
        raise InexpressibleError("a wildcard in a selector has no equivalent for the table's arrays")
    if first in FREE_FORM and rest:
        path = "".join(f'["{step}"]' if isinstance(step, str) else f"[{step}]" for step in rest)
        if any('"' in step or "\\" in step for step in rest if isinstance(step, str)):
            raise InexpressibleError("a field name holds a quote or a backslash")
        arguments = f"({str(first).lower()}, {quoted('$' + path)})"
        value = f"json_extract{arguments}"
        return Column(f"json_extract_scalar{arguments}", f"json_format({value})", value)
    name = _name(selector)
    return Column(name, "", name)


def _name(selector: Selector) -> str:
    first, *rest = selector.steps
    if not rest and first in _COLUMNS | FREE_FORM:
        return str(first).lower()
    if first in _STRUCTS and ".".join(map(str, rest)) in _STRUCTS[str(first)]:
        return ".".join(map(str, selector.steps)).lower()
    match selector.steps:
        case ("resources", int(place), "ARN" | "accountId" | "type" as name):
            return f"element_at(resources, {place + 1}).{name.lower()}"
    raise InexpressibleError(f"the table has no column for $.{'.'.join(map(str, selector.steps))}")
