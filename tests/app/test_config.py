"""Configuration files: every mistake at once, each with its line; what comes from elsewhere is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import trailsieve
from trailsieve.app.load import load_config
from trailsieve.errors import ConfigError, UsageError
from trailsieve.secret import masked

GOOD = """
[source]
kind = "files"
paths = ["${TRAIL_PATH:-archive}"]

[[sink]]
kind = "stdout"

[[rules]]
pack = "cis-aws"
"""
WRONG = """
[sorce]
x = 1
[source]
kind = "file"
[[sink]]
kind = "files"
paht = "x"
max_bytes = "many"
[[sink]]
kind = "stdout"
[[rules]]
pack = "cis-aws"
path = "x"
[[rules]]
[checkpoint]
ids = "${NO_SUCH_NAME}"
[run]
workers = -1.5
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "t.toml"
    path.write_text(text)
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load_config(path)
    return error.value.problems


def test_a_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAIL_PATH", raising=False)
    config = load_config(written(tmp_path, GOOD))
    assert config.source.settings.paths == ["archive"]
    assert [sink.kind for sink in config.sinks] == ["stdout"]
    assert config.checkpoint.path == "trailsieve.db"
    monkeypatch.setenv("TRAIL_PATH", "/elsewhere")
    config = load_config(written(tmp_path, GOOD))
    assert config.source.settings.paths == ["/elsewhere"]
    assert masked("in /elsewhere") == "in ${TRAIL_PATH}"


def test_all_mistakes_at_once_each_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, WRONG)
    found = {problem.removeprefix(f"{path}:").partition(": ")[::2] for problem in problems(path)}
    expected = {
        ("2", "unknown table [sorce]; did you mean `source`?"),
        ("5", "unknown kind 'file'; did you mean `files`?"),
        ("8", "unknown key `paht`; did you mean `path`?"),
        ("9", "`max_bytes`"),
        ("6", "`path` is missing"),
        ("12", "give either `pack` or `path`"),
        ("15", "give either `pack` or `path`"),
        ("17", "the environment has no NO_SUCH_NAME"),
        ("17", "`ids`"),
        ("19", "`workers`"),
    }
    for line, text in expected:
        assert any(line == at and text in told for at, told in found), (line, text, sorted(found))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "[source] is missing; its `kind` is one of"),
        (GOOD.replace("[[sink]]", "[sink]"), "write [[sink]], with two brackets"),
        (GOOD.replace("[[rules]]", "[[rule]]"), "[[rules]] is missing"),
        (GOOD.replace('kind = "stdout"', ""), "`kind` is missing; kinds: "),
        (GOOD + "[checkpoint", "Expected ']'"),
        (
            GOOD + '[alarms]\nstate = "dynamodb"',
            '11: [alarms] `state = "dynamodb"` needs the name of a `table`',
        ),
        (GOOD + '[alarms]\ntable = "t"', '11: [alarms] `table` needs `state = "dynamodb"`'),
        (GOOD + '[alarms]\nstate = "redis"', "`state`: "),
        (GOOD + '[alarms]\ntable = "t"\nstate = "dynamodb"', "files reads what only this machine has"),
        (GOOD.replace("paths = [", "paths = [1, "), "`paths`: expected a list of strings"),
        (GOOD.replace("archive", "${file:/no/such}").replace("TRAIL_PATH:-", ""), ""),
    ],
)
def test_single_mistakes(tmp_path: Path, text: str, reason: str) -> None:
    assert any(reason in problem for problem in problems(written(tmp_path, text)))


def test_settings_that_do_not_fit_together_have_a_line_too(tmp_path: Path) -> None:
    text = GOOD.replace('kind = "files"', 'kind = "kinesis"\nstream = "s"\nstart = "soon"')
    found = problems(written(tmp_path, text.replace("paths", "# paths")))
    assert any(
        ":2: " in problem and "`start` must be trim_horizon, latest or a time" in problem for problem in found
    )


def test_what_cannot_be_had_from_elsewhere_is_told_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MISSING_A", raising=False)
    text = GOOD.replace("${TRAIL_PATH:-archive}", "${MISSING_A}${file:/no/such/file}")
    told = "\n".join(problems(written(tmp_path, text)))
    assert "the environment has no MISSING_A" in told
    assert "/no/such/file cannot be read: No such file" in told


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such configuration file"):
        load_config(tmp_path / "no.toml")
    assert trailsieve("config", "check", tmp_path / "no.toml").code == 2


def test_secrets_are_never_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAIL_SECRET", "hunter2-in-the-environment")
    (tmp_path / "secret").write_text("hunter3-in-a-file\n")
    text = f"""
[source]
kind = "files"
paths = ["${{TRAIL_SECRET}}", "${{file:{tmp_path}/secret}}"]
[[sink]]
kind = "files"
path = "/proc/${{TRAIL_SECRET}}/x"
[[rules]]
pack = "cis-aws"
"""
    path = written(tmp_path, text)
    config = load_config(path)
    assert config.source.settings.paths == ["hunter2-in-the-environment", "hunter3-in-a-file"]
    for arguments in (("config", "check", path), ("config", "check", "--connect", path), ("run", path)):
        result = trailsieve(*arguments)
        assert "hunter" not in result.out.decode() + result.err, arguments


def test_config_check_says_what_is_there(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    result = trailsieve("config", "check", path)
    assert result.code == 0
    assert result.lines == [f"ok    {path}: 15 rules, source files, 1 sink"]
    wrong = trailsieve("config", "check", written(tmp_path, WRONG))
    assert wrong.code == 2
    assert not wrong.out
    assert wrong.err.count("t.toml:") >= 10


def test_config_check_says_that_a_group_splits_alarms(tmp_path: Path) -> None:
    alarms = tmp_path / "alarms.toml"
    alarms.write_text('[[rule]]\nid = "a"\npattern = "x"\nalarm = { threshold = 2, period = "5m" }\n')
    source = '[source]\nkind = "kafka"\nbootstrap_servers = ["b:9092"]\ntopics = ["t"]\ngroup = "trail"\n'
    rest = '[[sink]]\nkind = "stdout"\n[[rules]]\n'
    done = trailsieve("config", "check", written(tmp_path, f'{source}{rest}path = "{alarms}"\n'))
    assert done.code == 0
    assert "run one member of group 'trail'" in "\n".join(done.lines)
    done = trailsieve("config", "check", written(tmp_path, f'{source}{rest}pack = "cis-aws"\n'))
    assert "note" not in "\n".join(done.lines)
    table = '[alarms]\nstate = "dynamodb"\ntable = "trail-alarms"\n'
    done = trailsieve("config", "check", written(tmp_path, f'{source}{table}{rest}path = "{alarms}"\n'))
    assert "note" not in "\n".join(done.lines)


def test_config_check_connect_asks_every_part(tmp_path: Path) -> None:
    text = GOOD.replace("${TRAIL_PATH:-archive}", str(tmp_path)).replace(
        "[[rules]]", '[[sink]]\nkind = "files"\npath = "/proc/no/x"\n[[rules]]'
    )
    result = trailsieve("config", "check", "--connect", written(tmp_path, text))
    assert result.code == 3
    assert "ok    source files: " in result.out.decode()
    assert "FAIL  sink files: /proc/no/x cannot be written" in result.out.decode()


SINK = '[[sink]]\nkind = "stdout"\n'
OPENSEARCH = '[[sink]]\nkind = "opensearch"\nurl = "https://a"\n'
SOURCE = '[source]\nkind = "files"\npaths = ["${TRAIL_PATH:-archive}"]\n'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            SOURCE,
            '[source]\nkind = "s3"\nurl = "s3://b"\nsince = "yesterday"\n',
            "2: [source] since 'yesterday': not a",
        ),
        (
            SOURCE,
            '[source]\nkind = "s3"\nurl = "my-trail/AWSLogs"\n',
            "4: [source] `url`: expected a URL such as s3://bucket/prefix",
        ),
        (
            SOURCE,
            '[source]\nkind = "sqs"\nqueue_url = "arn:aws:sqs:eu-west-1:1:q"\n',
            "4: [source] `queue_url`: expected a queue's URL, such as https://sqs.eu",
        ),
        (
            SOURCE,
            '[source]\nkind = "sqs"\nqueue_url = "https://a/1/q"\nvisibility_timeout = 1\n',
            "5: [source] `visibility_timeout`: expected 2 to 43200 seconds",
        ),
        (
            SINK,
            '[[sink]]\nkind = "webhook"\nname = "soc"\nurl = "hooks.example/x"\n',
            '9: [sink "soc"] `url`: expected a URL with http:// or https://',
        ),
        (
            SINK,
            '[[sink]]\nkind = "webhook"\nurl = "https://[abc"\n',
            "8: [sink] `url`: expected a URL with http:// or https:// and",
        ),
        (
            SINK,
            '[[sink]]\nkind = "webhook"\nurl = "https://a:8o88/x"\n',
            "8: [sink] `url`: expected a URL with http:// or https:// and",
        ),
        (
            SINK,
            '[[sink]]\nkind = "webhook"\nurl = "https://u:password@hooks.example/x"\n',
            "8: [sink] `url`: expected a URL with http:// or https:// and without a user",
        ),
        (
            SINK,
            '[[sink]]\nkind = "webhook"\nurl = "https://a"\nformat = "pagerduty"\n',
            '6: [sink] `format = "pagerduty"` needs a `routing_key`',
        ),
        (
            SINK,
            '[[sink]]\nkind = "webhook"\nurl = "https://a"\nsecrets = ["whsec_?"]\n',
            "6: [sink] `secrets`: one that begins with whsec_ must continue in base64",
        ),
        (
            SINK,
            '[[sink]]\nkind = "files"\npath = "x"\nmax_bytes = -1\n',
            "9: [sink] `max_bytes`: expected a whole number, 0 or more",
        ),
        (
            SINK,
            f'{OPENSEARCH}username = "u"\n',
            "6: [sink] `username` and `password` require each other",
        ),
        (
            SINK,
            f'{OPENSEARCH}username = "u"\npassword = "p"\napi_key = "k"\n',
            "6: [sink] `username` and `api_key`: use only one of them",
        ),
        (SINK, SINK * 2, "8: [sink] `name`: another sink is named stdout"),
        (
            SINK,
            f'{SINK}name = "soc"\n{SINK}name = "soc"\n',
            '11: [sink "soc"] `name`: another sink is named soc',
        ),
        (
            '"cis-aws"',
            '"cis-aws"\n[checkpoint]\nids = 0',
            "12: [checkpoint] `ids`: expected a whole number, 1",
        ),
        (
            '"cis-aws"',
            '"cis-aws"\n[[rules]]\npack = "cis-aws"',
            "12: [rules] `pack`: cis-aws: another [[rules]] table has it",
        ),
        (
            '"cis-aws"',
            '"cis-awz"',
            "10: [rules] `pack`: cis-awz: no such rule pack or file. Built in: aws-threats",
        ),
    ],
)
def test_what_cannot_run_is_reported_with_its_line_by_check_and_run(
    old: str, new: str, reason: str, tmp_path: Path
) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    for command in (("config", "check"), ("run",)):
        result = trailsieve(*command, path)
        assert (result.code, f"{path}:{reason}" in result.err) == (2, True), result.err


def test_mistakes_in_rule_files_are_reported_with_those_of_the_configuration(tmp_path: Path) -> None:
    rules = tmp_path / "own.toml"
    rules.write_text('[[rule]]\nid = "a"\npattern = "{"\n')
    text = GOOD.replace('pack = "cis-aws"', f'path = "{rules}"\n[[rules]]\npack = "no"\n[run]\nworkers = -1')
    found = "\n".join(problems(written(tmp_path, text)))
    for place in (
        f"{rules}:3: rule a",
        "t.toml:12: [rules] `pack`: no: no such",
        "t.toml:14: [run] `workers`",
    ):
        assert place in found, found


def test_a_damaged_checkpoint_fails_the_check_and_is_not_accepted(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    config = written(tmp_path, f'{GOOD}[checkpoint]\npath = "{state}"\n')
    assert trailsieve("config", "check", config).code == 0
    state.write_bytes(b"no database, but long enough to be one" * 100)
    checked = trailsieve("config", "check", config)
    assert (checked.code, len(checked.lines)) == (3, 2)
    assert checked.lines[1].startswith(f"FAIL  checkpoint: the checkpoint {state} cannot be read: ")
    refused = trailsieve("config", "accept-source", config)
    assert (refused.code, refused.lines) == (3, [])
    assert f"restore it, or delete {state} and {state}-* to start anew" in refused.err
