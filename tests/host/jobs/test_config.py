"""The configuration: what it says when it is right, and every sentence when it is wrong."""

from pathlib import Path

import pytest

from lapel_companion import config, paths, toml_lines

FILE = Path("lapel.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        config.parse(text, FILE)
    return caught.value.problems


def test_the_example_is_the_default_and_knows_the_first_phrases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "config_file", lambda: tmp_path / "nowhere" / "config.toml")
    found = config.load()
    assert found.source is None
    assert {phrase.say: phrase.agent for phrase in found.phrases} == {
        "how much disk space is left": "command",
        "show the newest files": "command",
        "make a note {text}": "note",
        "remind me in {when} to {text}": "reminder",
    }
    assert all(phrase.harmless for phrase in found.phrases)


def test_the_example_says_what_is_so_without_it() -> None:
    example = config.load(paths.EXAMPLE)
    empty = config.parse("", FILE)
    assert example.source == paths.EXAMPLE
    assert empty.phrases == ()
    for part in ("speech", "jobs", "keep", "pin", "ask_after_s", "notes_file", "channel"):
        assert getattr(example, part) == getattr(empty, part)


def test_every_key_stands_in_the_example() -> None:
    from lapel_companion.config_keys import PHRASE, SECTIONS

    text = paths.EXAMPLE.read_text()
    for section, keys in SECTIONS.items():
        assert f"[{section}]" in text
        for key in keys:
            assert f"\n{key} = " in text or f"\n# {key} = " in text, key
    for key in PHRASE:
        assert key in text


def test_a_phrase_in_full() -> None:
    found = config.parse(
        """
[[phrase]]
say = ["find {what} in my notes",  "look for {what}"]
run = ["grep", "-n", "--", "{what}", "notes.md"]
idempotent = true
timeout_s = 5
max_output_bytes = 1000
cwd = "~/x"
env = ["DISPLAY"]
result = "{1.1}"
""",
        FILE,
    ).phrases
    assert [phrase.say for phrase in found] == ["find {what} in my notes", "look for {what}"]
    first = found[0]
    assert first.slots == ("what",)
    assert (first.agent, first.harmless, first.idempotent, first.timeout_s) == ("command", False, True, 5.0)
    assert first.cwd == Path("~/x").expanduser()
    assert first.run == ("grep", "-n", "--", "{what}", "notes.md")


SENTENCES = [
    ("[speech\n", "line 1: `[speech` is not TOML: expected ']' at the end of a table declaration."),
    ("a = 1\n\nb = \n", "line 3: `b =` is not TOML: invalid value."),
    ("api_key = sk-secret\n", "line 1: `api_key = ...` is not TOML: invalid value."),
    ("x = '''\nabc\n", "line 2: `abc` is not TOML: expected"),
    ("[speech]\nengin = 'x'", "line 2: [speech] engin: there is no such key; did you mean engine?"),
    ("[speech]\nzzz = 'x'", "line 2: [speech] zzz: there is no such key; known here: engine, language"),
    ("[spech]\nengine = 'x'", "line 1: [spech]: there is no such section; did you mean speech?"),
    ("engine = 'x'", "there is no such section; the key engine belongs under [speech]."),
    ("speech = 'x'", "line 1: [speech]: this is a section: write [speech] on a line of its own."),
    ("\n[[spech]]\n[[spech]]", "line 2: [spech]: there is no such section"),
    ("[speech]\nengine = 'wisper'", 'line 2: [speech] engine: "wisper" is not known; choose one of'),
    ("[speech]\nengine = 'whisper'", "Did you mean faster-whisper?"),
    ("[speech]\n\ntimeout_s = '9'", "line 3: [speech] timeout_s: this must be a number."),
    ("[speech]\ntimeout_s = true", "this must be a number."),
    ("[speech]\ntimeout_s = 0", "this must be between 1 and 3600."),
    ("[speech]\napi_key_env = 'sk-secret'", 'environment variable, like "OPENAI_API_KEY", never the key itself'),
    ("[speech]\napi_key_env = 'abc123'", "never the key itself"),
    ("[speech]\nhints = [1]", 'this must be a list of texts, like ["this", "that"].'),
    ("[jobs]\nat_once = 1.5", "this must be a whole number."),
    ("[pin]\npreroll = 1", "this must be true or false."),
    (
        "[pin]\nquiet_from = '25:00'\nquiet_to = '07:00'",
        'quiet_from: this must be a time of day in quotes, like "22:30".',
    ),
    ("[pin]\nquiet_from = '22:00'", "quiet hours need both ends: give quiet_from and quiet_to."),
    ("[notes]\nfile = 'notes.md'", "this must be a path in quotes that starts with / or ~/"),
    ("[notes]\nfile = ''", "this must be a path in quotes"),
    ("[speech]\nmodel = ' '", "this is empty; write something between the quotes, or remove the key."),
    ("[phrase]\nsay = 'x'", "line 1: [phrase]: write each phrase as a section of its own, under [[phrase]]."),
    (
        "[[phrase]]\nrun = ['true']",
        'line 1: [[phrase]] 1: a phrase needs the words that are said: say = "...".',
    ),
    ("[[phrase]]\nsay = 'go home'", "a command needs what it runs, word by word"),
    (
        "[[phrase]]\nsay = 'go home'\nrun = 'true'\nagnt = 'x'",
        "line 4: [[phrase]] 1 agnt: there is no such key; did you mean agent?",
    ),
    ("[[phrase]]\nsay = 'go {where}'\nrun = ['{where}']", "spoken words are never the program"),
    (
        "[[phrase]]\nsay = 'go {where}'\nrun = ['x', '--to={where}']",
        '"--to={where}": a slot must be a whole argument',
    ),
    ("[[phrase]]\nsay = 'go {where}'\nrun = ['x', 'a{where}b']", "a slot must be a whole argument"),
    ("[[phrase]]\nsay = 'go {where}'\nrun = ['x']", "{where} is said but not used"),
    ("[[phrase]]\nsay = 'go there'\nrun = ['x', '{where}']", "{where} is not said"),
    ("[[phrase]]\nsay = '{a} {b}'\nrun = ['x', '{a}', '{b}']", "two slots need a word between them"),
    ("[[phrase]]\nsay = '{a}'\nrun = ['x', '{a}']", "a phrase needs words of its own beside its slots."),
    ("[[phrase]]\nsay = 'go {a} or {a}'\nrun = ['x', '{a}']", "each slot may stand once"),
    ("[[phrase]]\nsay = 'go {A b}'\nrun = ['x']", "{A b} is no slot"),
    ("[[phrase]]\nsay = 'go $HOME'\nrun = ['x']", '"$HOME" cannot be said'),
    (f"[[phrase]]\nsay = '{'go ' * 41}'\nrun = ['x']", "this has 41 words"),
    (f"[[phrase]]\nsay = '{'25 ' * 21}'\nrun = ['x']", "this has 42 words"),
    ("[[phrase]]\nsay = 'jot it'\nagent = 'note'", 'the agent "note" needs {text} in what is said'),
    ("[[phrase]]\nsay = 'wake {text}'\nagent = 'reminder'", "needs {when} and {text}"),
    (
        "[[phrase]]\nsay = 'jot {text}'\nagent = 'note'\nrun = ['x']",
        'line 4: [[phrase]] 1 run: only agent = "command" has this key, not "note"',
    ),
    (
        "[[phrase]]\nsay = 'go  home'\nrun = ['x']\n[[phrase]]\n\nsay = 'Go home'\nrun = ['y']",
        'line 6: [[phrase]] 2 say: "Go home" is said already in line 2',
    ),
    (
        "[[phrase]]\nsay = 'go\\u0000home'\nrun = ['x']".replace("'", '"'),
        "control characters have no place here",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), SENTENCES)
def test_sentence(text: str, sentence: str) -> None:
    found = problems(text)
    assert all(problem.startswith("lapel.toml") for problem in found)
    assert any(sentence in problem for problem in found), found


def test_all_problems_are_said_at_once_in_order() -> None:
    found = problems("[pin]\npreroll = 1\n[speech]\nlanguage = 3\n")
    assert [problem.split(":")[0] for problem in found] == ["lapel.toml, line 2", "lapel.toml, line 4"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="there is no such file; name another with --config"):
        config.load(tmp_path / "absent.toml")
    with pytest.raises(config.ConfigError, match="it cannot be read"):
        config.load(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(config.ConfigError, match="line 2: this is not UTF-8"):
        config.load(binary)


def test_lines_of_keys_in_awkward_texts() -> None:
    text = '''# top
a.b = 1
"quoted key" = "x # no comment"
list = [
  "]", # ]
  'x',
]
text = """one
[not.a.table]
say = 1 \\""" two"""
raw = \'\'\'[x]
y = 2\'\'\'
[sec.tion] # note
key = { inner = 1 }
[[phrase]]
say = "x"
[[phrase]]

run = ["a",
 "b"]
[phrase.sub]
deep = 1
'''
    lines = toml_lines.locate(text)
    assert lines[("a", "b")] == 2
    assert lines[("quoted key",)] == 3
    assert lines[("text",)] == 8
    assert lines[("raw",)] == 11
    assert lines[("sec", "tion")] == 13
    assert lines[("sec", "tion", "key")] == 14
    assert lines[("phrase", 0, "say")] == 16
    assert lines[("phrase", 1, "run")] == 19
    assert lines[("phrase", 1, "sub", "deep")] == 22
    assert ("say",) not in lines
    assert ("y",) not in lines
