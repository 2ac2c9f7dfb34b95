"""What can get into an argument vector."""


import pytest

from lapel_companion.agents.base import Request
from lapel_companion.agents.command import argument_vector
from lapel_companion.dispatcher import Refused


def asked(**slots: str) -> Request:
    return Request("heard", slots, 100.0, 100.0)


INNOCENT = [
    "milk",
    "buy milk; rm -rf ~",
    "$(id)",
    "`id`",
    "a | b > c",
    "*",
    "~",
    "'\"",
    "a=b",
    "%s",
    "{text}",
    "ünïcode",
]


REFUSED = [
    "-rf",
    "--help",
    "-",
    "a\x00b",
    "a\x1b[2Jb",
    "right\u202eleft",
    "zero\u200bwidth",
    "\ud800",
    "private\ue000",
    "",
    "   ",
    "x" * 501,
]


@pytest.mark.parametrize("text", INNOCENT)
def test_words_stay_one_argument(text: str) -> None:
    assert argument_vector(["prog", "-x", "{text}", "end"], asked(text=text)) == ["prog", "-x", text, "end"]


@pytest.mark.parametrize("text", REFUSED)
def test_words_that_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        argument_vector(["prog", "{text}"], asked(text=text))


def test_lines_become_one_line() -> None:
    assert argument_vector(["prog", "{text}"], asked(text="two\n lines\t here")) == ["prog", "two lines here"]


def test_a_dash_is_taken_after_two_dashes_only() -> None:
    assert argument_vector(["prog", "--", "{text}"], asked(text="-rf"))[2] == "-rf"
    with pytest.raises(Refused, match="could take it for an option"):
        argument_vector(["prog", "{text}", "--"], asked(text="-rf"))
    # What the slots hold never counts as the two dashes.
    with pytest.raises(Refused):
        argument_vector(["prog", "{one}", "{text}"], asked(one="--", text="-rf"))


def test_braces_that_are_no_slot_stay() -> None:
    assert argument_vector(["awk", "{print}", "{text}"], asked(text="x")) == ["awk", "{print}", "x"]
