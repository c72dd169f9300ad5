"""The audit for programs: JSON, ASFF, OCSF and JUnit.

Sources: docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html ;
schema.ocsf.io, Compliance Finding, class 2003.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from msgspec import structs

from trailsieve import junit
from trailsieve.audit.chains import not_examined
from trailsieve.audit.model import Chain, ControlResult, Verdict
from trailsieve.audit.reports.text import WORDS
from trailsieve.errors import shorten
from trailsieve.formats import alert_fields, asff, ocsf
from trailsieve.model import Alert, Severity

_STANDARD = "CIS AWS Foundations Benchmark"
_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark"
_ASFF_STATUS: dict[Verdict, str] = {"pass": "PASSED", "fail": "FAILED", "unknown": "NOT_AVAILABLE"}
_OCSF_STATUS: dict[Verdict, int] = {"pass": 1, "fail": 3, "unknown": 0}
_OCSF_SHARED = (
    *("activity_id", "activity_name", "category_uid", "category_name"),
    *("time", "severity_id", "severity"),
)
_JUNIT_OUTCOME: dict[Verdict, junit.Outcome] = {"pass": "passed", "fail": "failure", "unknown": "error"}
_CLASS = 2003


def as_dict(result: ControlResult) -> dict[str, Any]:
    """A result as plain data."""
    broken = result.chain.broken
    return {
        **{name: getattr(result, name) for name in ("account", "control", "rule", "title", "severity")},
        "verdict": WORDS[result.verdict],
        "broken_link": broken.name if broken else None,
        "reason": broken.message if broken else "",
        "remediation": broken.remediation if broken else "",
        "chains": [_chain(chain) for chain in result.chains],
    }


def _chain(chain: Chain) -> dict[str, Any]:
    links = [asdict(link) for link in chain.links]
    return {
        "chain": chain.kind,
        "verdict": WORDS[chain.verdict],
        "links": [{"link": one.pop("name"), **one, "verdict": WORDS[one["verdict"]]} for one in links],
        "not_examined": not_examined(chain),
    }


def _message(result: ControlResult) -> str:
    broken = result.chain.broken
    return f"{broken.name}: {broken.message}" if broken else "every link of the chain holds"


def _alert(result: ControlResult, now: datetime) -> Alert:
    """The part that a result shares with an alert; its id is the same on every audit."""
    severity: Severity = "informational" if result.verdict == "pass" else result.severity  # type: ignore[assignment]
    identity = f"audit/{result.account}/{result.rule}".encode()
    return Alert(
        id=hashlib.sha256(identity).hexdigest()[:32],
        rule=result.rule,
        title=f"{_STANDARD} {result.control}: {result.title} is monitored",
        severity=severity,
        kind="match",
        time=alert_fields.rfc3339(now),
        account=result.account,
        region=None,
        count=1,
        summary=_message(result),
    )


def as_asff(result: ControlResult, region: str, now: datetime) -> dict[str, Any]:
    """A result as a finding that Security Hub's BatchImportFindings takes."""
    document = asff.document(structs.replace(_alert(result, now), region=region))
    broken = result.chain.broken
    document["FindingProviderFields"]["Types"] = [_TYPE]
    document["Compliance"] = {
        "Status": _ASFF_STATUS[result.verdict],
        "RelatedRequirements": [f"{_STANDARD}/{result.control}"],
    }
    document["ProductFields"] = {f"{alert_fields.PRODUCT}/link": broken.name if broken else "all"}
    if broken and broken.remediation:
        document["Remediation"] = {"Recommendation": {"Text": shorten(broken.remediation, 512)}}
    return document


def as_ocsf(result: ControlResult, now: datetime) -> dict[str, Any]:
    """A result as an OCSF Compliance Finding."""
    detection = ocsf.document(_alert(result, now))
    broken = result.chain.broken
    return alert_fields.without_empty(
        {
            **{key: detection[key] for key in _OCSF_SHARED},
            "class_uid": _CLASS,
            "class_name": "Compliance Finding",
            "type_uid": _CLASS * 100 + 1,
            "type_name": "Compliance Finding: Create",
            "status_id": 1,
            "status": "New",
            "message": _message(result),
            "metadata": {**detection["metadata"], "log_provider": None, "event_code": result.rule},
            "cloud": detection["cloud"],
            "resources": detection["resources"],
            "finding_info": {
                **{key: detection["finding_info"][key] for key in ("uid", "title")},
                "desc": _message(result),
            },
            "compliance": {
                "control": result.control,
                "requirements": [f"{_STANDARD} {result.control}"],
                "standards": [_STANDARD],
                "status_id": _OCSF_STATUS[result.verdict],
                "status": result.verdict.capitalize(),
                "status_detail": _message(result),
            },
            "remediation": {"desc": broken.remediation} if broken and broken.remediation else None,
            "unmapped": {"broken_link": broken.name if broken else None},
        }
    )


def as_junit(results: Sequence[ControlResult]) -> bytes:
    """The results as JUnit XML: each control is a test, and one that cannot be decided is an error."""
    return junit.document("trailsieve audit", [_case(result) for result in results])


def _case(result: ControlResult) -> junit.Case:
    broken = result.chain.broken
    shown = (_message(result), *broken.evidence, broken.witness, broken.remediation) if broken else ()
    names = result.account, f"{result.control} {result.title}"
    return junit.Case(*names, "", _JUNIT_OUTCOME[result.verdict], "\n".join(filter(None, shown)))
