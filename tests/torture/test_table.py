"""The table itself: it must not look good when something is missing or wrong."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from tests.torture import __main__ as torture
from tests.torture.table import Table
from tests.torture.verdict import Verdict

PLAN = {"a": {"cut": ["a/cut/1", "a/cut/2"]}, "b": {"point": ["b/point/1"]}}


def verdicts(**changes: object) -> list[Verdict]:
    good = [Verdict("a", "cut", "a/cut/1", recovery_ms=900), Verdict("a", "cut", "a/cut/2")]
    return [*good, Verdict("b", "point", "b/point/1", **changes)]  # type: ignore[arg-type]


def tabled(found: Sequence[Verdict]) -> Table:
    table = Table(PLAN)
    for verdict in found:
        table.take(verdict)
    return table


def test_all_run_and_nothing_lost_is_good() -> None:
    table = tabled(verdicts())
    assert table.good and (table.run, table.enumerated) == (3, 3)
    assert "0.9 s" in table.lines()[1]


def test_each_count_and_a_broken_case_are_not_good() -> None:
    for name in ("clips_lost", "run_twice", "notices_lost", "notices_doubled", "wrong_data"):
        table = tabled(verdicts(**{name: 1}))
        assert not table.good
        assert any(f"b/point/1: {name.replace('_', ' ')} 1" in line for line in table.lines())
    assert not tabled(verdicts(broken="it never came to rest")).good


def test_a_case_that_was_not_run_is_not_good() -> None:
    table = tabled(verdicts()[1:])
    assert not table.good
    assert "1 of 3 enumerated cases were not run: a/cut/1" in table.lines()[-1]


def test_one_case_twice_does_not_stand_for_another() -> None:
    table = tabled([*verdicts()[1:], verdicts()[1]])
    assert not table.good and table.run == 2


def test_nothing_at_all_is_not_good() -> None:
    assert not Table({}).good


class Two:
    """A tier with two kinds."""

    name = "a"

    def cases(self, n: int, seed: int) -> Mapping[str, Sequence[str]]:
        return {"one": ["a/one/1", "a/one/10"], "drawn": [f"a/drawn/{seed}/{k}" for k in range(n)]}

    def kind_of(self, name: str) -> str:
        return "alone" if name.startswith("a/alone/") else ""

    def run(self, names: Sequence[str], *, workers: int) -> Generator[Verdict, None, None]:
        for name in names:
            yield Verdict("a", name.split("/")[1], name)


def test_a_case_is_run_alone_and_a_kind_by_its_beginning() -> None:
    assert torture.planned([Two()], 3, 7, "a/one/1") == {"a": {"one": ["a/one/1"]}}
    assert torture.planned([Two()], 3, 7, "a/drawn/7") == {"a": {"drawn": [f"a/drawn/7/{k}" for k in range(3)]}}
    table = torture.run([Two()], torture.planned([Two()], 3, 7, ""), workers=1)
    assert table.good and table.run == 5


def test_a_case_that_its_name_says_all_about_needs_no_list() -> None:
    assert torture.planned([Two()], 3, 7, "a/alone/9") == {"a": {"alone": ["a/alone/9"]}}


def test_who_looks_for_a_bad_one_gets_some_of_each_kind_first() -> None:
    assert torture._in_turn([["a", "b", "c"], [], ["d"]]) == ["a", "d", "b", "c"]


class Dying(Two):
    def run(self, names: Sequence[str], *, workers: int) -> Generator[Verdict, None, None]:
        yield from super().run(names[:1], workers=workers)
        raise RuntimeError("a worker died")


def test_a_tier_that_dies_is_heard() -> None:
    try:
        torture.run([Dying()], torture.planned([Dying()], 1, 7, ""), workers=1)
    except RuntimeError as error:
        assert "died" in str(error)
    else:
        raise AssertionError("it was not heard")


def test_it_ends_with_the_first_that_is_not_good_and_closes_the_tier() -> None:
    closed = []

    class Bad(Two):
        def run(self, names: Sequence[str], *, workers: int) -> Generator[Verdict, None, None]:
            try:
                for name in names:
                    yield Verdict("a", name.split("/")[1], name, clips_lost=1)
            finally:
                closed.append(True)

    plan = torture.planned([Bad()], 1000, 7, "a/drawn")
    table = torture.run([Bad()], plan, workers=1, until_bad=True)
    assert table.run == 1 and closed
