"""Where a story takes a turn: the first use of a key that was made in it, or of a session from elsewhere."""

from __future__ import annotations

from collections.abc import Collection

from trailsieve.investigation.identities import Member
from trailsieve.investigation.names import agent_name, generated, is_address, last_part

NEW_KEY, ELSEWHERE = "with new key ", "now from "  # beginnings of notes


def turns_of(member: Member, made: Collection[str]) -> dict[int, str]:
    """Returns the notes of an identity's calls that are turns, by the `id` of the call.

    Args:
        made: the access keys that were made in the story.
    """
    named = bool(member.issuer) and not generated(last_part(member.principal))
    keys: set[str] = set()
    places: dict[str, None] = {}
    programs: set[str] = set()
    found: dict[int, str] = {}
    for call in member.calls:
        key, address, program = call.actor.access_key, call.source_ip, agent_name(call.user_agent)
        if not is_address(address):
            continue
        if key in made and key not in keys:
            found[id(call)] = f"{NEW_KEY}{key} from {address}"
        elif named and places and address not in places and program not in programs:
            found[id(call)] = f"{ELSEWHERE}{address}, before from {next(iter(places))}"
        keys.add(key)
        places[address] = None
        programs.add(program)
    return found
