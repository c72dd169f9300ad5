"""The right suspect is first, through noise that is a thousand times louder."""

from __future__ import annotations

from functools import cache

from tests.investigation.night import (
    ACCOUNT,
    Record,
    assumes,
    benign,
    call,
    denied,
    makes_key,
    root,
    session,
    told,
    user,
)
from trailsieve.cli.investigation_text import Layout, lines
from trailsieve.investigation.model import Investigation, Suspect

ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def takeover() -> list[Record]:
    """A user who gives itself all rights and makes a second key, which it then uses from elsewhere."""
    mia = user("mia")
    again = mia.with_key("AKIASECOND").at("203.0.113.9")
    return [
        *(call(mia, m, "ec2:DescribeInstances") for m in range(0, 600, 60)),
        call(mia, 700, "iam:GetUser"),
        denied(mia, 701, "iam:ListUsers"),
        call(mia, 702, "iam:PutUserPolicy", {"userName": "mia", "policyName": "x", "policyDocument": ALL}),
        makes_key(mia, 705, "mia", "AKIASECOND"),
        call(again, 720, "iam:ListUsers"),
        call(again, 721, "secretsmanager:ListSecrets"),
    ]


def ransom() -> list[Record]:
    """Somebody with a stolen key who takes the objects of a bucket and leaves a note."""
    thief = user("backup", address="203.0.113.70")
    bucket = {"bucketName": "ledger"}
    names = [{"bucketName": "ledger", "key": f"2026/{n}.csv"} for n in range(120)]
    return [
        *(call(user("backup"), m, "s3:ListBuckets") for m in range(0, 800, 100)),
        call(thief, 900, "s3:ListBuckets"),
        *(call(thief, 901 + n * 0.01, "s3:GetObject", key) for n, key in enumerate(names)),
        call(
            thief,
            905,
            "s3:PutBucketVersioning",
            bucket | {"VersioningConfiguration": {"Status": "Suspended"}},
        ),
        call(thief, 906, "s3:PutBucketEncryption", bucket),
        *(call(thief, 907 + n * 0.01, "s3:CopyObject", key) for n, key in enumerate(names)),
        *(call(thief, 910 + n * 0.01, "s3:DeleteObject", key) for n, key in enumerate(names)),
        call(thief, 914, "s3:PutBucketLifecycle", bucket),
        call(thief, 915, "s3:PutObject", {"bucketName": "ledger", "key": "RANSOM_NOTE.txt"}),
    ]


@cache
def of_takeover() -> Investigation:
    return told([*benign(), *takeover()])


@cache
def of_ransom() -> Investigation:
    return told([*benign(), *ransom()])


def screen(found: Investigation) -> str:
    """The first screen, 45 lines of 120 columns."""
    return "\n".join(list(lines(found, Layout(120)))[:45])


def test_who_granted_itself_all_rights_is_first() -> None:
    first, second, *_ = of_takeover().suspects
    assert first.name == "user/mia"
    assert first.score > 2 * second.score


def test_the_decisive_steps_are_on_the_first_screen() -> None:
    shown = screen(of_takeover())
    for text in ("granted itself all rights", "PutUserPolicy", "CreateAccessKey", "AKIASECOND"):
        assert text in shown


def test_reads_before_anything_happens_are_one_line() -> None:
    step = of_takeover().suspects[0].steps[0]
    assert (step.event_name, step.count) == ("DescribeInstances and GetUser", 11)
    assert (step.first[11:16], step.last[11:16]) == ("00:00", "11:40")


def test_what_the_user_made_is_left_behind() -> None:
    left = of_takeover().suspects[0].left_behind
    assert left == [
        "policy x of user mia, 11:42 by user/mia",
        "access key AKIASECOND, 11:45 by user/mia, last used 12:01:00",
    ]


def test_what_was_removed_is_not_left_behind() -> None:
    mia = user("mia")
    removed = [
        call(mia, 730, "iam:DeleteAccessKey", {"userName": "mia", "accessKeyId": "AKIASECOND"}),
        call(mia, 731, "iam:DeleteUserPolicy", {"userName": "mia", "policyName": "x"}),
    ]
    assert told([*takeover(), *removed]).suspects[0].left_behind == []


def test_a_console_of_root_is_folded() -> None:
    found = of_takeover().suspects
    noisy = next(suspect for suspect in found if suspect.name == "root")
    assert noisy.noise == ["root: 656 calls, one session, one address"]
    assert len(noisy.steps) < 10


def test_routine_ranks_below_any_decisive_act() -> None:
    scores = {suspect.name: suspect.score for suspect in of_takeover().suspects[1:]}
    assert max(scores.values()) < 30, scores


def test_who_took_the_objects_is_first() -> None:
    first, second, *_ = of_ransom().suspects
    assert first.name == "user/backup"
    assert first.score > 2 * second.score


def test_the_ransom_is_on_the_first_screen() -> None:
    shown = screen(of_ransom())
    for text in (
        "deleted 120 objects",
        "what looks like a ransom note, RANSOM_NOTE.txt",
        "DeleteObject ×120",
        "PutBucketVersioning",
        "RANSOM_NOTE.txt",
        "203.0.113.70",
    ):
        assert text in shown


def test_an_app_that_moves_objects_all_day_is_no_thief() -> None:
    shop = [suspect for suspect in of_ransom().suspects if suspect.name.startswith("role/shop")]
    assert all(suspect.score < 15 for suspect in shop)


def test_services_are_no_suspects() -> None:
    assert not [suspect for suspect in of_ransom().suspects if "autoscaling" in suspect.principal]


def chain() -> Suspect:
    """A user assumes two roles in a row; the second makes a user with a key, who comes from elsewhere."""
    ann, first = user("ann", address="203.0.113.5"), session("read", "s", "203.0.113.5")
    second, made = session("admin", "s", "203.0.113.5"), user("helper", "AKIAHELPER", "192.0.2.77")
    records = [
        assumes(ann, 10, first),
        call(first, 11, "iam:ListRoles"),
        assumes(first, 12, second),
        call(second, 13, "iam:CreateUser", {"userName": "helper"}),
        makes_key(second, 14, "helper", "AKIAHELPER"),
        call(made, 30, "cloudtrail:StopLogging", {"name": "main"}),
    ]
    (suspect, *rest) = told(records).suspects
    assert not rest
    return suspect


def test_a_chain_of_roles_and_keys_is_one_story() -> None:
    assert [(one.name, one.how) for one in chain().identities] == [
        ("user/ann", ""),
        ("role/read/s", "assumed by user/ann at 00:10"),
        ("role/admin/s", "assumed by role/read/s at 00:12"),
        ("user/helper", "key AKIAHELPER made by role/admin/s at 00:14"),
    ]


def test_the_steps_of_a_chain_are_in_the_order_of_time() -> None:
    steps = chain().steps
    assert [step.first for step in steps] == sorted(step.first for step in steps)
    names = [(step.identity, step.event_name, step.note) for step in steps if not step.read_only]
    assert names == [
        ("user/ann", "AssumeRole", "continues as role/read/s"),
        ("role/read/s", "AssumeRole", "continues as role/admin/s"),
        ("role/admin/s", "CreateUser", ""),
        ("role/admin/s", "CreateAccessKey", "makes an access key for helper"),
        (
            "user/helper",
            "StopLogging",
            "with new key AKIAHELPER from 192.0.2.77: the trail records nothing from here on",
        ),
    ]


def test_roles_of_others_stay_apart() -> None:
    one, other = user("one"), user("two", address="192.0.2.9")
    records = [
        assumes(one, 1, session("ops", "a", key="ASIAA")),
        assumes(other, 2, session("ops", "b", key="ASIAB")),
        call(session("ops", "a", key="ASIAA"), 3, "cloudtrail:StopLogging", {"name": "main"}),
        call(session("ops", "b", key="ASIAB"), 4, "ec2:DescribeInstances"),
    ]
    assert [one.name for one in told(records).suspects[0].identities] == ["user/one", "role/ops/a"]


def test_who_makes_keys_for_many_is_not_all_of_them() -> None:
    admin = user("admin")
    records = []
    for n in range(12):
        records.append(makes_key(admin, n, f"u{n}", f"AKIA{n}"))
        records.append(call(user(f"u{n}", f"AKIA{n}", f"192.0.2.{n}"), 60 + n, "ec2:StopInstances", {}))
    named = next(suspect for suspect in told(records).suspects if suspect.name == "user/admin")
    assert len(named.identities) == 1


def test_an_address_new_to_one_joins_two() -> None:
    bot, eve = user("bot"), user("eve", address="198.51.100.77")
    records = [
        call(bot, 1, "s3:ListBuckets"),
        denied(bot.at("203.0.113.3"), 60, "iam:ListUsers"),
        call(eve, 2, "s3:ListBuckets"),
        call(eve.at("203.0.113.3"), 90, "cloudtrail:StopLogging", {"name": "main"}),
    ]
    found = told(records).suspects[0]
    assert [one.how for one in found.identities][1:] == [
        "same address 203.0.113.3 as user/bot, from 01:30 (weak link)"
    ]
    assert found.noise == [
        "user/bot: 1 call of other work from 198.51.100.20",
        "user/eve: 1 call of other work from 198.51.100.77",
    ]


def test_an_office_joins_nobody() -> None:
    people = [user(f"p{n}", address="198.51.100.1") for n in range(9)]
    records = [call(one, n, "iam:CreateUser", {"userName": f"x{n}"}) for n, one in enumerate(people)]
    assert all(len(suspect.identities) == 1 for suspect in told(records).suspects)


def test_clearing_up_ones_own_things_is_no_harm() -> None:
    mia = user("mia")
    made = [
        call(mia, 1, "cloudtrail:CreateTrail", {"name": "mine"}),
        call(mia, 2, "cloudtrail:DeleteTrail", {"name": "mine"}),
    ]
    own = told(made).suspects[0]
    others = told(made[1:]).suspects[0]
    assert others.score >= own.score + 40
    assert own.left_behind == []


def test_a_failed_password_then_a_right_one() -> None:
    eve = user("eve", address="203.0.113.8")
    eve.identity.pop("accessKeyId")
    fails = [
        call(
            eve,
            n,
            "signin:ConsoleLogin",
            None,
            {"ConsoleLogin": "Failure"},
            errorMessage="Failed authentication",
        )
        for n in range(4)
    ]
    found = told([*fails, call(eve, 5, "signin:ConsoleLogin", None, {"ConsoleLogin": "Success"})])
    signal = next(signal for signal in found.suspects[0].signals if signal.kind == "guessed password")
    assert signal.text == "4 console sign-ins failed, then one succeeded"


def test_root_alone_is_told_with_its_counts() -> None:
    found = told([call(root(), n, "ec2:DescribeInstances") for n in range(30)])
    assert "(30 calls, one session, one address)" in found.suspects[0].headline
    assert found.verdict.sentences[0].startswith("Nobody did anything decisive: 30 calls matched rules")
    assert ACCOUNT in {hour.account for hour in found.hours}


def test_no_records_is_not_no_incident() -> None:
    assert told([]).verdict.sentences == ["Nothing can be concluded: no CloudTrail records were read."]


def test_a_rule_with_an_alarm_counts_when_the_alarm_was_raised() -> None:
    def signals(count: int) -> str:
        records = [denied(user("mia"), n * 0.1, f"iam:List{n}") for n in range(count)]
        return next(one.text for one in told(records).suspects[0].signals if one.kind == "rules")

    alarm = "Many different calls refused"
    assert alarm not in signals(2)
    assert alarm in signals(40)


def test_what_fired_counts_alerts_rather_than_matches() -> None:
    records = [denied(user("mia"), n * 0.1, f"iam:List{n}") for n in range(40)]
    fired = {rule.title: rule for rule in told(records).fired}
    assert fired["API call denied"].alerts == 40
    assert fired["Many different calls refused"].alerts < 5


def test_what_happens_again_and_again_leaves_room_for_the_rest() -> None:
    mia = user("mia")
    records = [call(mia, n * 15, "cloudtrail:StopLogging", {"name": "main"}) for n in range(60)]
    records += [makes_key(mia, 400, "mia", "AKIATWO"), call(mia, 500, "s3:ListBuckets")]
    shown = "\n".join(lines(told(records), Layout(120, steps=3)))
    assert "CreateAccessKey: makes itself" in shown


def test_an_hour_of_a_busy_pipeline_hides_no_takeover() -> None:
    pipeline, mia = session("terraform", "run-1234567890"), user("mia", address="203.0.113.5")
    records = [makes_key(mia, 52, "mia", "AKIATWO")]
    records.append(call(mia, 50, "iam:PutUserPolicy", {"userName": "mia", "policyDocument": ALL}))
    for n in range(60):
        opened = {"items": [{"ipProtocol": "tcp", "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}
        records += [
            call(pipeline, n, "iam:CreateRole", {"roleName": f"r{n}"}),
            call(
                pipeline,
                n,
                "ec2:AuthorizeSecurityGroupIngress",
                {"groupId": f"g{n}", "ipPermissions": opened},
            ),
            call(pipeline, n, "rds:DeleteDBInstance", {"dBInstanceIdentifier": f"old{n}"}),
            call(root(), n, "ec2:DescribeInstances"),
        ]
    assert [suspect.name for suspect in told(records).suspects] == ["user/mia", "role/terraform", "root"]
