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
