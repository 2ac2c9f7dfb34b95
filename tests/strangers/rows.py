"""What a suite found: one row for each case, printed as it comes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Row:
    """`bad` says what must not be; without any the row is good."""

    suite: str
    case: str
    slowest_s: float | None = None
    note: str = ""
    bad: list[str] = field(default_factory=list)

    def check(self, holds: bool, sentence: str) -> None:
        """What must hold, or the sentence is what is wrong."""
        if not holds:
            self.bad.append(sentence)

    def took(self, seconds: float, limit_s: float) -> None:
        """The owner was in after so long."""
        self.slowest_s = max(seconds, self.slowest_s or 0.0)
        self.check(seconds <= limit_s, f"the owner was in after {seconds:.1f} s")

    def line(self) -> str:
        slowest = "" if self.slowest_s is None else f"{self.slowest_s:5.1f} s"
        end = "; ".join(self.bad) if self.bad else "good"
        return f"{self.suite:<10} {self.case:<46} {slowest:>8}  {self.note:<52} {end}"
