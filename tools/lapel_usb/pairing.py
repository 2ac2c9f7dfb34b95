"""`lapel pair` and `lapel unpair`: one key on a pin and on this computer, whatever breaks off.

The order is the promise. The new key is durable on the computer, beside the old one, before the pin hears of it; what
another owner left on the pin is erased before it gets the key; and the new key takes the old one's place only when the
pin has proved that it has it. So an interruption leaves the old key on both sides, or the new one, or a pin that has
one of the two keys that the computer holds: the same command again finds out which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lapel_companion.keys import Keys
from lapel_companion.pairing import Key, PairingError
from lapel_usb import owner, wipe
from lapel_usb.errors import Refused, UsbError
from lapel_usb.link import PinLink
from lapel_usb.owner import Seen

_NEITHER = "Nothing was changed."


@dataclass(frozen=True)
class Wanted:
    """`rotate`: another key for a pin that is ours already. `sure`: ask nothing; `unsent`: although recordings are
    lost by it."""

    rotate: bool = False
    sure: bool = False
    unsent: bool = False


@dataclass
class Person:
    """Who sits there."""

    ask: Callable[[str], bool]
    tell: Callable[[str], None]
    progress: Callable[[int, int], None] = lambda done, whole: None


def pair(link: PinLink, keys: Keys, wanted: Wanted, person: Person) -> Key | None:
    """The key that both have at the end; None: the person did not want that. Raises UsbError, PairingError."""
    seen = _settled(link, person)
    begun, pin = keys.begun(), link.facts.unique_id
    if seen.is_of(begun):
        person.tell("The pin has the key of a pairing that had broken off: it is completed now.")
        return _adopted(keys)
    held = keys.replaced(exposed=wanted.rotate)
    ours = seen.is_of(held) or seen.was_of(held) or seen.was_of(begun)
    # of a pin that is not here, and may have that key
    stranded = begun if keys.begun_with != pin else None
    if ours and not seen.is_of(held):
        person.tell("The key on this pin is damaged. It is this computer's pin: it gets another, and keeps the rest.")
    elif ours and not wanted.rotate:
        if stranded is None:
            keys.drop()
        person.tell("This pin is paired with this computer already. For another key:  lapel pair --rotate")
        return held
    if wanted.rotate and not ours:
        raise Refused(
            "This pin does not have this computer's key, so its key cannot be changed by --rotate.",
            "To pair it:  lapel pair",
        )
    if not _agreed(seen, ours, held, stranded, wanted, person):
        person.tell(_NEITHER)
        return None
    key = keys.begin(pin, [seen.generation, *(known.generation for known in (held, begun) if known)])
    try:
        if not ours and (seen.key == "there" or seen.holds_something):
            person.tell("Erasing what was on the pin; that takes about a minute.")
            wipe.erase(link, person.progress)
        owner.give(link, key)
        if not owner.look(link).is_of(key):
            raise UsbError("The pin does not prove that it has the new key: its flash may be failing.")
    except UsbError as error:
        error.add(_INCOMPLETE)
        raise
    return _adopted(keys)


def _adopted(keys: Keys) -> Key:
    try:
        return keys.adopt()
    except PairingError as error:
        raise PairingError(
            f"{error}\nThe pin has the new key already, and this computer still uses the old one. Settle that, and with"
            " the pin plugged in type:  lapel pair"
        ) from error


def unpair(link: PinLink, keys: Keys, wanted: Wanted, person: Person) -> bool:
    """The pin is a new one, and this computer has no key any more; False: nothing was to be done, or the person did
    not want that. Raises UsbError, PairingError."""
    seen = _settled(link, person)
    held, begun = keys.replaced(exposed=True), keys.begun()
    if seen.key == "there" and not (seen.is_of(held) or seen.is_of(begun)):
        raise Refused(
            f"This pin does not have this computer's key (its own is {seen.fingerprint}).",
            "To make it a new pin all the same:  make wipe\n"
            "To remove only what this computer has:  lapel unpair --lost",
        )
    on_pin = seen.key != "none" or seen.holds_something
    if not on_pin and held is None and begun is None:
        keys.forget()
        person.tell("Neither this pin nor this computer has a key.")
        return False
    if seen.clips and not wanted.unsent:
        raise Refused(
            f"{_recordings(seen.clips)} on the pin that no computer has taken.",
            "Let the companion fetch them (lapel run), or keep them:  make backup\n"
            "To lose them:  lapel unpair --unsent",
        )
    what = "Erase recordings, settings and key from the pin, and" if on_pin else "This pin has no key. Remove"
    if not wanted.sure and not person.ask(f"{what} the key from this computer? This cannot be undone."):
        person.tell(_NEITHER)
        return False
    if on_pin:
        wipe.erase(link, person.progress)
    keys.forget()
    return True


def _settled(link: PinLink, person: Person) -> Seen:
    """The pin as it is; a wipe that was begun is brought to its end first."""
    seen = owner.look(link)
    if not seen.forgets:
        return seen
    person.tell("A wipe of this pin was begun and is not over: it is completed now.")
    wipe.erase(link, person.progress)
    return owner.look(link)


def _agreed(
    seen: Seen, ours: bool, held: Key | None, stranded: Key | None, wanted: Wanted, person: Person
) -> bool:
    said = [] if ours else _said_of_others(seen)
    if held is not None and not ours:
        said.append(
            f"This computer holds the key of another pin, or of this one before it was wiped ({held.fingerprint}): a"
            " pin with that key is refused from then on, and what waits on it is given up."
        )
    if stranded is not None:
        said.append(
            "A pairing with another pin had broken off, and is given up by this one: to use that pin, it must be"
            " paired anew, which erases it."
        )
    if not said:
        return True
    if wanted.sure and seen.clips and not (ours or wanted.unsent):
        raise Refused(" ".join(said), "To lose these recordings:  lapel pair --yes --unsent")
    for sentence in said:
        person.tell(sentence)
    return wanted.sure or person.ask("Give this pin a key of this computer?")


def _said_of_others(seen: Seen) -> list[str]:
    said = []
    if seen.key == "there":
        said.append(f"This pin is paired with another computer (its key is {seen.fingerprint}).")
    elif seen.key == "damaged":
        said.append("The key on this pin is damaged: nobody can tell whose it is.")
    elif seen.holds_something:
        said.append("This pin has no key, but it was used: nobody can tell by whom.")
    if seen.key == "there" or seen.holds_something:
        lost = f"{_recordings(seen.clips)} that no computer has taken" if seen.clips else "no recordings wait"
        said.append(f"All that it holds is erased first: {lost}; notices and settings.")
    return said


def _recordings(count: int) -> str:
    return "1 recording waits" if count == 1 else f"{count} recordings wait"


_INCOMPLETE = (
    "The pairing is not complete: the pin has its key from before, or none, or the new one, and this computer holds\n"
    "what it needs for each. With the pin plugged in, this makes it good:  lapel pair"
)

__all__ = ["PairingError", "Person", "Wanted", "pair", "unpair"]
