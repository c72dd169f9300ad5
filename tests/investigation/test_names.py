"""Short names of principals, and which names programs made up."""

from __future__ import annotations

import pytest

from trailsieve.investigation.names import agent_name, is_address, is_service, last_part, listed, short

STS = "arn:aws:sts::111122223333:assumed-role"
SSO = f"{STS}/AWSReservedSSO_Admin_0123456789abcdef/jane@corp.example"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("arn:aws:iam::111122223333:root", "root"),
        ("arn:aws:iam::111122223333:user/staff/mia", "user/mia"),
        (f"{STS}/deploy/orders", "role/deploy/orders"),
        (f"{STS}/deploy/aws-go-sdk-1688990082523310002", "role/deploy"),
        (f"{STS}/web/i-0dbc91f429e48eeed", "role/web/i-0dbc91f429e48eeed"),
        (SSO, "jane@corp.example (SSO Admin)"),
        ("j.marlow", "j.marlow"),
        ("HIDDEN_DUE_TO_SECURITY_REASONS", "unknown user name"),
        ("", "nobody"),
    ],
)
def test_short(principal: str, expected: str) -> None:
    assert short(principal) == expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("aws-cli/2.24.5 md/awscrt", "aws-cli"),
        ("[Boto3/1.26.165 Python/3.10.6]", "Boto3"),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io)", "Terraform"),
        ("stratus-red-team_39f95f43-cd2f-4beb-b69e-be60b6fe1f57", "stratus-red-team"),
        ("", ""),
    ],
)
def test_agent_name(agent: str, expected: str) -> None:
    assert agent_name(agent) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9", True),
        ("10.0.0.0/8", True),
        ("2001:db8::1", True),
        ("ec2.amazonaws.com", False),
        ("", False),
    ],
)
def test_is_address(text: str, expected: bool) -> None:
    assert is_address(text) is expected


def test_is_service() -> None:
    assert is_service(f"{STS}/AWSServiceRoleForRDS/x", "AssumedRole")
    assert is_service("", "AWSService")
    assert not is_service(f"{STS}/deploy/x", "AssumedRole")


def test_tail_keeps_ranges_whole() -> None:
    assert [last_part(name) for name in ("0.0.0.0/0", "arn:aws:iam::aws:policy/x/Admin", "mia")] == [
        "0.0.0.0/0",
        "Admin",
        "mia",
    ]


def test_listed() -> None:
    assert listed("abcd") == "a, b, c and d"
    assert listed("abcdef") == "a, b, c and 3 more"
    assert listed("aab") == "a and b"
