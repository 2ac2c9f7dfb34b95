"""The lists in `sentences/`: phrases of a user, utterances of them, and sentences that must not act."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "sentences"
SAID, SAME, OTHER = "+", "=", "-"


class ListError(Exception):
    """A line that cannot be read; the text names file and line."""


@dataclass(frozen=True)
class Sentence:
    """kind: SAID (an utterance of `phrase`), SAME (its meaning in other words), OTHER (must not act).

    phrase: None for sentences that belong to no phrase.
    """

    kind: str
    text: str
    phrase: str | None


@dataclass(frozen=True)
class Sentences:
    """One list: the phrases the user has, and what is said."""

    name: str
    phrases: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    def of(self, kind: str) -> tuple[Sentence, ...]:
        """The sentences of one kind, in the order of the file."""
        return tuple(one for one in self.sentences if one.kind == kind)


def load(name: str, folder: Path = FOLDER) -> Sentences:
    """The list `name`: "tuning", which the rule was made on, or "heldout", which was kept back. ListError."""
    path = folder / f"{name}.txt"
    phrases: list[str] = []
    found: list[Sentence] = []
    phrase: str | None = None
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        head, _, rest = line.partition(" ")
        if not line or line.startswith("#"):
            continue
        if head == "phrase" and rest:
            phrase = rest
            phrases.append(rest)
        elif line == "other":
            phrase = None
        elif head in (SAID, SAME, OTHER) and rest and (phrase or head == OTHER):
            found.append(Sentence(head, rest, phrase))
        else:
            raise ListError(f"{path.name}, line {number}: `{line}` is no phrase and no sentence of one.")
    return Sentences(name, tuple(phrases), tuple(found))
