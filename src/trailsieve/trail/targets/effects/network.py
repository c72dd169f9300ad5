"""Effects of calls on networks and instances."""

from __future__ import annotations

from typing import Any

from trailsieve.errors import counted
from trailsieve.trail.targets.effects.call import Call, is_off, items, listed, shown, text, texts, value

WORLD = ("0.0.0.0/0", "::/0")
_TOP = 65535
_PROTOCOLS = {"-1": "all ports", "1": "ICMP", "58": "ICMPv6", "icmp": "ICMP", "icmpv6": "ICMPv6"}


def ingress(call: Call) -> str | None:
    """The effect of rules that let traffic in."""
    return _opened(call, "to")


def egress(call: Call) -> str | None:
    """The effect of rules that let traffic out."""
    return _opened(call, "towards")


def _opened(call: Call, word: str) -> str | None:
    """`opens port 22 to 0.0.0.0/0`; of several ranges the widest."""
    rules = items(call.request, "ipPermissions") or [call.request]
    ranges = [(name, rule) for rule in rules for name in _ranges(rule)]
    if not ranges:
        return None
    widest = next((name for name, _ in ranges if name in WORLD), ranges[0][0])
    ports = [_ports(rule, "ipProtocol", "fromPort", "toPort") for name, rule in ranges if name == widest]
    return f"opens {_joined(ports)} {word} {shown(widest)}"


def _ranges(rule: Any) -> list[str]:
    inner = [text(item, "cidrIp") for item in items(rule, "ipRanges")]
    inner += [text(item, "cidrIpv6") for item in items(rule, "ipv6Ranges")]
    return [name for name in (*inner, text(rule, "cidrIp"), text(rule, "cidrIpv6")) if name]


def rule_modified(call: Call) -> str | None:
    """The effect of a security group's rule that is changed."""
    for rule in items(call.request, "securityGroupRule"):
        inner = value(rule, "securityGroupRule")
        name = text(inner, "cidrIpv4") or text(inner, "cidrIpv6")
        if name in WORLD:
            return f"opens {_ports(inner, 'ipProtocol', 'fromPort', 'toPort')} to {name}"
    return None


def acl_entry(call: Call) -> str | None:
    """The effect of an entry of a network ACL."""
    name = text(call.request, "cidrBlock") or text(call.request, "ipv6CidrBlock")
    if text(call.request, "ruleAction") != "allow" or name not in WORLD:
        return None
    ports = value(call.request, "portRange")
    rule = {
        "protocol": value(call.request, "aclProtocol") or value(call.request, "protocol"),
        "from": value(ports, "from"),
        "to": value(ports, "to"),
    }
    word = "towards" if value(call.request, "egress") is True else "to"
    return f"opens {_ports(rule, 'protocol', 'from', 'to')} {word} {name}"


def _ports(rule: Any, protocol: str, first: str, last: str) -> str:
    """`port 22`, `ports 1000-2000`, `all ports`, `ICMP`."""
    kind = value(rule, protocol)
    name = str(kind).lower() if kind.__class__ in (str, int) else ""
    if name in _PROTOCOLS:
        return _PROTOCOLS[name]
    low, high = _number(value(rule, first)), _number(value(rule, last))
    if low is None or high is None or (low <= 1 and high >= _TOP):
        return "all ports"
    return f"port {low}" if low == high else f"ports {low}-{high}"


def _number(found: Any) -> int | None:
    if found.__class__ is str and found.isascii() and found.isdigit() and len(found) < 6:
        return int(found)
    return found if found.__class__ is int and -1 <= found <= _TOP else None


def _joined(ports: list[str]) -> str:
    """`port 22 and port 3389`, of which `all ports` stands for the others."""
    return "all ports" if "all ports" in ports else listed(ports)


def route(call: Call) -> str | None:
    """The effect of a default route."""
    name = text(call.request, "destinationCidrBlock") or text(call.request, "destinationIpv6CidrBlock")
    gateways = ("gatewayId", "natGatewayId", "transitGatewayId", "networkInterfaceId", "instanceId")
    through = next((found for key in gateways if (found := text(call.request, key))), "")
    return f"routes {name} through {shown(through)}" if through and name in WORLD else None


def peering(call: Call) -> str | None:
    """The effect of a connection with another account's network."""
    account = text(call.request, "peerOwnerId")
    return f"connects to a VPC of account {shown(account)}" if account not in ("", call.account) else None


def instances(call: Call) -> str | None:
    """The effect of new instances: how many of which type, and whether they run a script at their start."""
    started = items(call.response, "instancesSet")
    kind = text(call.request, "instanceType")
    script = ", with a script in user data" if value(call.request, "userData") else ""
    if len(started) <= 1 and not script:
        return None
    return f"starts {counted(len(started) or 1, f'{shown(kind)} instance'.strip())}{script}"


def instance_modified(call: Call) -> str | None:
    """The effect of a changed attribute of an instance."""
    if value(call.request, "userData") is not None:
        return "changes the script that the instance runs at its start (user data)"
    if is_off(value(call.request, "disableApiTermination", "value")):
        return "lifts the protection against termination"
    return None


def metadata_options(call: Call) -> str | None:
    """The effect of changing the options of the instance metadata service."""
    optional = text(call.request, "httpTokens") == "optional"
    return "allows IMDSv1, which gives credentials without a token" if optional else None


def instance_profile(call: Call) -> str | None:
    """The effect of an instance profile that is attached."""
    profile = text(call.request, "iamInstanceProfile", "name") or text(
        call.request, "iamInstanceProfile", "arn"
    )
    return f"gives the instance the permissions of {shown(profile)}" if profile else None


def command(call: Call) -> str | None:
    """The effect of a command that Systems Manager runs."""
    document, on = text(call.request, "documentName"), len(texts(call.request, "instanceIds"))
    where = counted(on, "instance") if on else "the chosen instances"
    return f"runs {shown(document)} on {where}" if document else None
