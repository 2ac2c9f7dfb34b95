"""What a step found: verdicts, figures, data for its pictures, and what it could not know."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

GOOD, LOOK, BAD, UNKNOWN = "good", "look", "bad", "unknown"
# The worst of a step's findings is the step's own verdict.
_RANK = {UNKNOWN: 0, GOOD: 1, LOOK: 2, BAD: 3}
IN_WORDS = {GOOD: "good", LOOK: "look at this", BAD: "bad", UNKNOWN: "not known"}


@dataclass(frozen=True)
class Finding:
    """One sentence and how bad it is; `likely` is the probable cause and what to do about it."""

    level: str
    says: str
    likely: str = ""


@dataclass
class Result:
    """Figures are named with their unit (`noise_dbfs`, `erase_us`); `series` holds lists for pictures and for the
    simulator."""

    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    series: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def good(self, says: str) -> None:
        """As it should be."""
        self.findings.append(Finding(GOOD, says))

    def look(self, says: str, likely: str = "") -> None:
        """Works, but somebody should look at it."""
        self.findings.append(Finding(LOOK, says, likely))

    def bad(self, says: str, likely: str = "") -> None:
        """Does not work."""
        self.findings.append(Finding(BAD, says, likely))

    def cannot_know(self, says: str) -> None:
        """What this step leaves open."""
        self.unknown.append(says)

    @property
    def verdict(self) -> str:
        """good, look, bad, or unknown when nothing was found either way."""
        return max((finding.level for finding in self.findings), key=_RANK.__getitem__, default=UNKNOWN)

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {"verdict": self.verdict, **asdict(self)}

    @classmethod
    def of_json(cls, body: dict[str, Any]) -> Result:
        """The same again; the report was checked."""
        return cls(
            [Finding(**finding) for finding in body["findings"]], body["figures"], body["series"], body["unknown"]
        )
