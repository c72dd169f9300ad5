"""What a user would run instead, and the floor: `peers.py NAME FOLDER OUT` writes matching events to OUT.

floor          libdeflate and simdjson: the bytes only decompressed and parsed, nothing matched
gzip-orjson    the plain Python loop: gzip, orjson, the rules written by hand
duckdb-1/-2    DuckDB's best formulation with 1 or 2 threads, full events out
jq             zcat and jq
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

IAM = """DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy CreatePolicy
DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy AttachUserPolicy
DetachUserPolicy AttachGroupPolicy DetachGroupPolicy""".split()
NAMES = """CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging
AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress
CreateSecurityGroup DeleteSecurityGroup CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl
DeleteNetworkAclEntry ReplaceNetworkAclEntry ReplaceNetworkAclAssociation CreateCustomerGateway
DeleteCustomerGateway AttachInternetGateway CreateInternetGateway DeleteInternetGateway DetachInternetGateway
CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute DisassociateRouteTable
CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection
DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc
DisableVpcClassicLink EnableVpcClassicLink""".split()
SOURCED = {
    "kms.amazonaws.com": "DisableKey ScheduleKeyDeletion",
    "s3.amazonaws.com": "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication "
    "DeleteBucketPolicy DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
    "config.amazonaws.com": "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
    "ec2.amazonaws.com": "CreateRoute",
    "organizations.amazonaws.com": "AcceptHandshake AttachPolicy CreateAccount CreateOrganizationalUnit CreatePolicy "
    "DeclineHandshake DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy DisablePolicyType "
    "EnablePolicyType InviteAccountToOrganization LeaveOrganization MoveAccount RemoveAccountFromOrganization "
    "UpdatePolicy UpdateOrganizationalUnit",
}
ANY_SOURCE = frozenset(IAM + NAMES)
BY_SOURCE = {source: frozenset(names.split()) for source, names in SOURCED.items()}


def matches(event: dict[str, Any]) -> bool:
    """The fifteen CIS rules by hand."""
    name, code = event.get("eventName"), event.get("errorCode")
    if name in ANY_SOURCE or name in BY_SOURCE.get(str(event.get("eventSource")), ()):
        return True
    if code is not None:
        address = event.get("sourceIPAddress")
        if code.endswith("UnauthorizedOperation"):
            return True
        if (
            code.startswith("AccessDenied")
            and name != "HeadBucket"
            and address != "delivery.logs.amazonaws.com"
        ):
            return address is not None
    if name == "ConsoleLogin":
        mfa = (event.get("additionalEventData") or {}).get("MFAUsed")
        if (mfa is not None and mfa != "Yes") or event.get("errorMessage") == "Failed authentication":
            return True
    who = event.get("userIdentity") or {}
    kind = event.get("eventType")
    return who.get("type") == "Root" and "invokedBy" not in who and kind not in (None, "AwsServiceEvent")


def floor(files: list[Path], out: Path) -> None:
    """Decompress and parse, as fast as anything can."""
    import deflate
    import simdjson

    parser = simdjson.Parser()
    for file in files:
        parser.parse(bytes(deflate.gzip_decompress(file.read_bytes())))
    out.write_bytes(b"")


def gzip_orjson(files: list[Path], out: Path) -> None:
    """The loop that everybody writes."""
    import orjson

    with out.open("wb") as stream:
        for file in files:
            for event in orjson.loads(gzip.open(file).read())["Records"]:
                if matches(event):
                    stream.write(orjson.dumps(event) + b"\n")


def duckdb(files: list[Path], out: Path, threads: int) -> None:
    """One JSON value a file, typed projection, raw events beside it."""
    import duckdb as engine

    fields = "eventName eventSource errorCode errorMessage sourceIPAddress eventType".split()
    projected = ",".join(f'"{field}":"VARCHAR"' for field in fields)
    nested = (
        '"userIdentity":{"type":"VARCHAR","invokedBy":"VARCHAR"},"additionalEventData":{"MFAUsed":"VARCHAR"}'
    )
    quoted = {key: ",".join(f"'{name}'" for name in names) for key, names in BY_SOURCE.items()}
    conditions = [
        "r.errorCode like '%UnauthorizedOperation'",
        "r.errorCode like 'AccessDenied%' and r.sourceIPAddress <> 'delivery.logs.amazonaws.com' and r.eventName <> 'HeadBucket'",
        "r.eventName = 'ConsoleLogin' and (r.additionalEventData.MFAUsed <> 'Yes' or r.errorMessage = 'Failed authentication')",
        "r.userIdentity.type = 'Root' and r.userIdentity.invokedBy is null and r.eventType <> 'AwsServiceEvent'",
        f"r.eventName in ({','.join(repr(name) for name in sorted(ANY_SOURCE))})",
        *(f"r.eventSource = '{source}' and r.eventName in ({names})" for source, names in quoted.items()),
    ]
    where = " or ".join(f"({condition})" for condition in conditions)
    listed = ",".join(f"'{file}'" for file in files)
    connection = engine.connect()
    connection.execute(f"set threads={threads}")
    connection.execute("set preserve_insertion_order=false")
    connection.execute(
        f"""copy (select raw from (
            select unnest(from_json(json, '{{"Records":[{{{projected},{nested}}}]}}').Records) r,
                   unnest(from_json(json, '{{"Records":["JSON"]}}').Records) raw
            from read_json_objects([{listed}], format='unstructured', maximum_object_size=268435456))
        where {where}) to '{out}' (format csv, header false, quote '', escape '', delimiter '\x01')"""
    )


def jq(files: list[Path], out: Path) -> None:
    """zcat and jq, the rules as one condition with a look-up for names."""
    import json

    names = dict.fromkeys(ANY_SOURCE, "") | {
        name: source for source, known in BY_SOURCE.items() for name in known if name not in ANY_SOURCE
    }
    condition = f"""{json.dumps(names)} as $m | .Records[] | select(
      ($m[.eventName // ""] as $s | $s != null and ($s == "" or $s == .eventSource)) or
      (.errorCode != null and ((.errorCode | endswith("UnauthorizedOperation")) or
        ((.errorCode | startswith("AccessDenied")) and .sourceIPAddress != null and .eventName != "HeadBucket"
          and .sourceIPAddress != "delivery.logs.amazonaws.com"))) or
      (.eventName == "ConsoleLogin" and (.errorMessage == "Failed authentication" or
        (.additionalEventData.MFAUsed // "Yes") != "Yes")) or
      (.userIdentity.type == "Root" and (.userIdentity | has("invokedBy") | not) and .eventType != null
        and .eventType != "AwsServiceEvent"))"""
    with out.open("wb") as stream:
        zcat = subprocess.Popen(["zcat", *map(str, files)], stdout=subprocess.PIPE)
        subprocess.run(["jq", "-c", condition], stdin=zcat.stdout, stdout=stream, check=True)


def main() -> None:
    """Runs one peer."""
    name, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    files = sorted(folder.rglob("*.json.gz"))
    kind, _, threads = name.partition("-") if name.startswith("duckdb") else (name, "", "")
    if kind == "duckdb":
        duckdb(files, out, int(threads))
    else:
        {"floor": floor, "gzip-orjson": gzip_orjson, "jq": jq}[kind](files, out)


if __name__ == "__main__":
    main()
