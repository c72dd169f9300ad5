"""How many points each reason for suspicion adds; docs/investigate.md explains them."""

from __future__ import annotations

from trailsieve.model import Severity

# Once for each rule that a suspect's calls matched, however often they did.
RULE: dict[Severity, int] = {"informational": 0, "low": 1, "medium": 4, "high": 8, "critical": 14}
TECHNIQUE = 2  # once for each ATT&CK technique of these rules
TACTIC = 3  # once for each ATT&CK tactic

# Once for each kind of decisive act (acts.toml) that succeeded.
ACT = {
    "rights for itself": 80,
    "rights for another": 35,
    "rights changed": 6,
    "key for itself": 30,
    "key made": 20,
    "password set": 20,
    "identities made": 6,
    "trust changed": 15,
    "second factor removed": 15,
    "commands run": 10,
    "logging stopped": 50,
    "logging reduced": 20,
    "organization left": 40,
    "data destroyed": 40,
    "data encrypted": 40,
    "encryption changed": 30,
    "objects touched": 4,
    "secrets read": 8,
    "opened to others": 35,
    "shared": 30,
    "instances started": 4,
    "clean-up": 1,
}
RULES = 60  # at most for all rules, techniques and tactics together
ATTEMPT = 0.3  # of the points of an act or a rule if all its calls failed
ROUTINE = 0.2  # of the points of rules and acts that go on evenly from the archive's start to its end

CREDENTIALS_TAKEN = 30  # of an instance: ranks this among the acts that a headline names
TOOL = 30  # a tool of attackers in the user agent
FAILED_THEN_SUCCEEDED = 10
GUESSED_PASSWORD = 20
NEW_ADDRESS = 10
NEW_REGION = 6
NEW_AGENT = 4
NEVER_BEFORE = 3  # times the binary logarithm of the number of such calls, 15 at most
VOLUME = 4
