"""Names of accounts from CSV and from Organizations."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailsieve.enrichment.accounts import account_names
from trailsieve.errors import UsageError

NAMES = {"111122223333": "production", "444455556666": "sand, box"}


@pytest.mark.parametrize(
    "text",
    [
        '111122223333,production\n444455556666,"sand, box"\n',
        'id,name\r\n111122223333, production ,x\r\n\r\n444455556666,"sand, box"',
        '\ufeffAccount,Name\n111122223333,production\n444455556666,"sand, box"',
        '{"Accounts": [{"Id": "111122223333", "Name": "production", "Status": "ACTIVE"},'
        ' {"Id": "444455556666", "Name": "sand, box"}, {"Id": 5}, null, {"Id": "777788889999"}]}',
        '[{"Id": "111122223333", "Name": "production"}, {"Id": "444455556666", "Name": "sand, box"}]',
    ],
)
def test_names_by_id(text: str, tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text(text)
    assert account_names(str(tmp_path / "accounts")) == NAMES


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no account in it; write lines such as 111122223333,production"),
        (b"id,name\n", "no account in it"),
        (b"11112222333,short\n", "no account in it"),
        (b'{"Accounts": 5}', "no account in it"),
        (b'{"Accounts": [', "neither CSV nor JSON"),
        (b"\xff\xfe\x00", "neither CSV nor JSON in UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_without_names(data: bytes | None, message: str, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / "accounts").write_bytes(data)
    with pytest.raises(UsageError, match=r"--account-names .*accounts: ") as raised:
        account_names(str(tmp_path / "accounts"))
    assert message in str(raised.value)
