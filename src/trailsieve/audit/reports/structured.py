"""The audit for machines: JSON, ASFF, OCSF and JUnit.

Sources: docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html ;
schema.ocsf.io, Compliance Finding, class 2003.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import structs

from trailsieve import junit
from trailsieve.audit.model import LINKS, Finding, Road, Verdict
from trailsieve.audit.reports.text import WORDS
from trailsieve.errors import shorten
from trailsieve.formats import asff, facts, ocsf
from trailsieve.model import Alert, Severity

_STANDARD = "CIS AWS Foundations Benchmark"
_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark"
_ASFF_STATUS: dict[Verdict, str] = {"pass": "PASSED", "fail": "FAILED", "unknown": "NOT_AVAILABLE"}
_OCSF_STATUS: dict[Verdict, tuple[int, str]] = {
    "pass": (1, "Pass"),
    "fail": (3, "Fail"),
    "unknown": (0, "Unknown"),
}
_JUNIT_OUTCOME: dict[Verdict, junit.Outcome] = {"pass": "passed", "fail": "failure", "unknown": "error"}
_CLASS = 2003


def as_dict(finding: Finding) -> dict[str, Any]:
    """A finding as plain data."""
    broken = finding.road.broken
    return {
        "account": finding.account,
        "control": finding.control,
        "rule": finding.rule,
        "title": finding.title,
        "severity": finding.severity,
        "verdict": WORDS[finding.verdict],
        "broken_link": broken.name if broken else None,
        "reason": broken.said if broken else "",
        "mend": broken.mend if broken else "",
        "roads": [_road(road) for road in finding.roads],
    }


def _road(road: Road) -> dict[str, Any]:
    links = [
        {
            "link": link.name,
            "verdict": WORDS[link.verdict],
            "said": link.said,
            "evidence": list(link.evidence),
            "witness": link.witness,
            "mend": link.mend,
        }
        for link in road.links
    ]
    walked = {link.name for link in road.links}
    left = [name for name in LINKS[road.name] if name not in walked]
    return {"road": road.name, "verdict": WORDS[road.verdict], "links": links, "not_examined": left}


def _said(finding: Finding) -> str:
    broken = finding.road.broken
    return f"{broken.name}: {broken.said}" if broken else "every link of the chain holds"


def _alert(finding: Finding, now: datetime) -> Alert:
    """What a finding has in common with an alert; the id is the same on every audit."""
    severity: Severity = "informational" if finding.verdict == "pass" else finding.severity  # type: ignore[assignment]
    identity = f"audit/{finding.account}/{finding.rule}".encode()
    return Alert(
        id=hashlib.sha256(identity).hexdigest()[:32],
        rule=finding.rule,
        title=f"{_STANDARD} {finding.control}: {finding.title} is monitored",
        severity=severity,
        kind="match",
        time=facts.rfc3339(now),
        account=finding.account,
        region=None,
        count=1,
        summary=_said(finding),
    )


def as_asff(finding: Finding, region: str, now: datetime) -> dict[str, Any]:
    """A finding as Security Hub's BatchImportFindings takes it."""
    document = asff.document(structs.replace(_alert(finding, now), region=region))
    broken = finding.road.broken
    document["FindingProviderFields"]["Types"] = [_TYPE]
    document["Compliance"] = {
        "Status": _ASFF_STATUS[finding.verdict],
        "RelatedRequirements": [f"{_STANDARD}/{finding.control}"],
    }
    document["ProductFields"] = {f"{facts.PRODUCT}/link": broken.name if broken else "all"}
    if broken and broken.mend:
        document["Remediation"] = {"Recommendation": {"Text": shorten(broken.mend, 512)}}
    return document


def as_ocsf(finding: Finding, now: datetime) -> dict[str, Any]:
    """A finding as an OCSF Compliance Finding."""
    detection = ocsf.document(_alert(finding, now))
    kept = (
        "activity_id",
        "activity_name",
        "category_uid",
        "category_name",
        "time",
        "severity_id",
        "severity",
    )
    broken = finding.road.broken
    return facts.told(
        {
            **{key: detection[key] for key in kept},
            "class_uid": _CLASS,
            "class_name": "Compliance Finding",
            "type_uid": _CLASS * 100 + 1,
            "type_name": "Compliance Finding: Create",
            "status_id": 1,
            "status": "New",
            "message": _said(finding),
            "metadata": {**detection["metadata"], "log_provider": None, "event_code": finding.rule},
            "cloud": detection["cloud"],
            "resources": detection["resources"],
            "finding_info": {
                "uid": detection["finding_info"]["uid"],
                "title": detection["finding_info"]["title"],
                "desc": _said(finding),
            },
            "compliance": _compliance(finding),
            "remediation": {"desc": broken.mend} if broken and broken.mend else None,
            "unmapped": {"broken_link": broken.name if broken else None},
        }
    )


def _compliance(finding: Finding) -> dict[str, Any]:
    status, name = _OCSF_STATUS[finding.verdict]
    return {
        "control": finding.control,
        "requirements": [f"{_STANDARD} {finding.control}"],
        "standards": [_STANDARD],
        "status_id": status,
        "status": name,
        "status_detail": _said(finding),
    }


def as_junit(findings: Sequence[Finding]) -> bytes:
    """The findings as JUnit XML: each control is a test, and one that cannot be decided is an error."""
    return junit.document("trailsieve audit", [_case(finding) for finding in findings])


def _case(finding: Finding) -> junit.Case:
    broken = finding.road.broken
    shown = (_said(finding), *broken.evidence, broken.witness, broken.mend) if broken else ()
    names = finding.account, f"{finding.control} {finding.title}"
    return junit.Case(*names, "", _JUNIT_OUTCOME[finding.verdict], "\n".join(filter(None, shown)))
