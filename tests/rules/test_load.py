"""Rule files into packs: every mistake at once, each with file and line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from trailsieve import RuleError, load_pack
from trailsieve.errors import UsageError
from trailsieve.rules.load import built_in
from trailsieve.rules.rule import RuleTests

GOOD = "[[rule]]\nid = 'a'\npattern = '{ $.a = 1 }'\n"


def write(folder: Path, content: str, name: str = "rules.toml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(content), encoding="utf-8")
    return file


def problems(path: Path) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load_pack(path)
    return caught.value.problems


def test_a_rule_has_all_that_its_table_says(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        [pack]
        name = "ours"
        version = "1.2"
        description = "What we watch."

        [[rule]]
        id = "root"
        title = "Root active"
        severity = "high"
        pattern = '''
          { $.userIdentity.type = "Root" }
        '''
        description = "  Look.  "
        tags = ["attack.t1078"]
        references = ["https://example.com/"]
        enabled = false
        tests = { match = ["root.json", { a = 1 }], ignore = [{}] }
        """,
    )
    pack = load_pack(file)
    [rule] = pack.rules
    assert (pack.name, pack.version, pack.description) == ("ours", "1.2", "What we watch.")
    assert (rule.id, rule.title, rule.severity, rule.enabled) == ("root", "Root active", "high", False)
    assert rule.pattern.text == '{ $.userIdentity.type = "Root" }'
    assert (rule.description, rule.tags, rule.references) == (
        *("Look.", ("attack.t1078",), ("https://example.com/",)),
    )
    assert rule.tests == RuleTests(("root.json", {"a": 1}), ({},))
    assert (rule.file, rule.line) == (file, 7)
    assert pack.rule("root") is rule
    assert pack.rule("nothing") is None


def test_id_and_pattern_are_enough(tmp_path: Path) -> None:
    pack = load_pack(write(tmp_path, GOOD))
    [rule] = pack.rules
    assert (pack.name, pack.version, pack.description) == ("rules", "", "")
    assert (rule.title, rule.severity, rule.enabled, rule.tests) == ("a", "medium", True, RuleTests())


def test_a_folder_is_one_pack_in_the_order_of_its_files(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("'a'", "'third'"), "ours/sub/c.toml")
    write(tmp_path, "[pack]\nname = 'ours'\n" + GOOD.replace("'a'", "'second'"), "ours/b.toml")
    write(tmp_path, GOOD.replace("'a'", "'first'"), "ours/a.toml")
    write(tmp_path, "not TOML", "ours/notes.txt")
    pack = load_pack(tmp_path / "ours")
    assert pack.name == "ours"
    assert [rule.id for rule in pack.rules] == ["first", "second", "third"]


def test_a_name_of_a_built_in_pack_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, GOOD, "cis-aws")
    monkeypatch.chdir(tmp_path)
    assert load_pack("cis-aws").rules[0].id == "cis-aws-4.1"
    assert load_pack("./cis-aws").rules[0].id == "a"
    assert list(built_in()) == ["aws-threats", "cis-aws", "cis-aws-tuned"]


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    first = write(
        tmp_path,
        """\
        [pack]
        name = 3
        [extra]
        [[rule]]
        id = "a"
        patern = 'x'
        severity = "hgih"
        [[rule]]
        pattern = 'x'
        tests = { mtach = [], match = [1] }

        [[ rule ]]
        id = "b"
        tags = [1]
        enabled = "yes"
        pattern = 'x'
        """,
        "a.toml",
    )
    second = write(tmp_path, "x = \n", "b.toml")
    third = write(tmp_path, GOOD, "c.toml")
    found = [problem.partition(" (allowed: ")[0] for problem in problems(tmp_path)]
    assert found == [
        f"{first}:2: `name`: expected a string",
        f"{first}:3: unknown key `extra`; allowed: pack, rule, override",
        f"{first}:4: rule a: `pattern` is missing",
        f"{first}:6: rule a: unknown key `patern`; did you mean `pattern`?",
        f"{first}:7: rule a: `severity`: expected one of informational, low, medium, high, critical; "
        "did you mean `high`?",
        f"{first}:8: rule number 2: `id` is missing",
        f"{first}:10: rule number 2: unknown key `tests.mtach`; did you mean `match`?",
        f"{first}:10: rule number 2: `tests.match`: expected a list of file names and inline records",
        f"{first}:14: rule b: `tags`: expected a list of strings",
        f"{first}:15: rule b: `enabled`: expected true or false",
        f"{second}:1: Invalid value",
        f"{third}:2: rule a: this id is already used in {first}:4",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("titel = 'x'", "unknown key `titel`; did you mean `title`?"),
        ("description = 1", "`description`: expected a string"),
        ("references = 'x'", "`references`: expected a list of strings"),
        ("tests = []", "`tests`: expected a table"),
        ("tests = { ignore = 'x.json' }", "`tests.ignore`: expected a list of file names and inline records"),
        ("severity = 'HIGH'", "`severity`: expected one of informational, low, medium, high, critical"),
        ("zzz = 1", "unknown key `zzz` (allowed: id, title, severity, "),
    ],
)
def test_a_wrong_key_has_its_line(line: str, message: str, tmp_path: Path) -> None:
    file = write(tmp_path, f"# ours\n\n{GOOD}{line}\n")
    [problem] = problems(file)
    assert problem.startswith(f"{file}:6: rule a: {message}")


@pytest.mark.parametrize(
    ("key", "value"), [("id", "''"), ("id", "7"), ("id", "[]"), ("pattern", "7"), ("pattern", "[]")]
)
def test_required_keys_must_be_texts_and_an_id_has_something_in_it(
    key: str, value: str, tmp_path: Path
) -> None:
    lines = {"id": "'a'", "pattern": "'x'"} | {key: value}
    found = problems(
        write(tmp_path, "[[rule]]\n" + "".join(f"{name} = {text}\n" for name, text in lines.items()))
    )
    assert [f"`{key}`" in problem for problem in found] == [True] * len(found)


@pytest.mark.parametrize("value", ["''", "'  '", "'''\n'''"])
def test_the_empty_pattern_matches_every_event(value: str, tmp_path: Path) -> None:
    """Rule 3."""
    [rule] = load_pack(write(tmp_path, f"[[rule]]\nid = 'a'\npattern = {value}\n")).rules
    assert rule.pattern.text == ""
    assert rule.pattern.matches('{"a": 1}')
    assert rule.pattern.matches("plain")


def test_an_id_is_taken_in_the_whole_pack_even_by_a_wrong_rule(tmp_path: Path) -> None:
    first = write(tmp_path, "[[rule]]\nid = 'a'\n", "1.toml")
    second = write(tmp_path, f"{GOOD}{GOOD}", "2.toml")
    assert problems(tmp_path) == [
        f"{first}:1: rule a: `pattern` is missing",
        f"{second}:2: rule a: this id is already used in {first}:1",
        f"{second}:5: rule a: this id is already used in {first}:1",
    ]


def test_rules_in_one_inline_array_have_ids_of_their_own_too(tmp_path: Path) -> None:
    file = write(tmp_path, "rule = [{ id = 'a', pattern = 'x' }, { id = 'a', pattern = 'y' }]\n")
    assert problems(file) == [f"{file}:1: rule a: this id is already used in {file}:1"]


def test_a_pattern_error_has_its_place_the_caret_and_the_hint(tmp_path: Path) -> None:
    file = write(tmp_path, "[[rule]]\nid = 'a'\n\npattern = '{ $.a == 1 }'\n")
    assert problems(file) == [
        f"{file}:4: rule a: `pattern`: invalid filter pattern, column 7: expected a comparison, found `=`\n"
        "    { $.a == 1 }\n"
        "          ^\n"
        "hint: use a single `=`\n"
        "      did you mean: { $.a = 1 }"
    ]


def test_patterns_beyond_the_limits_of_aws_need_to_be_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path, f"[[rule]]\nid = 'a'\npattern = '{'x' * 1025}'\n")
    assert problems(file)[0].startswith(f"{file}:3: rule a: `pattern`: invalid filter pattern")
    assert len(load_pack(file, limits=False).rules) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1: there are no rules in this file; write [[rule]] tables"),
        (b"[rule]\nid = 'a'\n", ":1: write [[rule]], with two brackets"),
        (b"rule = 1\n", ":1: write [[rule]], with two brackets"),
        (b"rule = [1]\n", ":1: write [[rule]], with two brackets"),
        (b"[[rule]]\nid = 'a'\nid = 'b'\n", ":3: Cannot overwrite a value"),
        (b"[[rule]]\nid = '\xff'\n", ": 'utf-8' codec can't decode"),
        (b"pack = 'x'\n" + GOOD.encode(), ":1: expected a table"),
        (b"[pack]\nnmae = 'x'\n" + GOOD.encode(), ":2: unknown key `nmae`; did you mean `name`?"),
    ],
)
def test_files_that_hold_no_rules(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(content)
    [problem] = problems(file)
    assert problem.startswith(f"{file}{message}")


def test_a_pack_that_does_not_exist_names_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no such rule pack or file\. Built in: aws-threats, cis-aws, cis-aws-tuned"
    ):
        load_pack("cis-was")
    with pytest.raises(UsageError, match=r"no rule file \(\*\.toml\) in this folder"):
        load_pack(tmp_path)
