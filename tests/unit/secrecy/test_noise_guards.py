# The machine code of the session between guard bytes: every buffer of a cipher and of a ladder, and the record.
# On CPython the same text runs under pointers that check their borders, a ladder for half a minute.
import random
from array import array

from guarded import Guarded

from noise import device, plain
from noise.suite import TAG_BYTES

ONLY_MICROPYTHON = ("test_a_ladder_stays_within_its_numbers",)
LENGTHS = (0, 1, 2, 15, 16, 17, 63, 64, 65, 100)


def some(count):
    return bytes([random.getrandbits(8) for _ in range(count)])


def between_guards(cipher):
    """Puts guard bytes around all that a cipher keeps; the Guarded ones."""
    found = []
    # Words of 32 bits lie at multiples of four on the device.
    for name in ("_state", "_stream", "_mac", "_once"):
        guarded = Guarded(getattr(cipher, name), 4 * random.randrange(4))
        setattr(cipher, name, guarded.view)
        found.append(guarded)
    return found


def test_a_record_is_sealed_and_opened_where_it_stands():
    for length in LENGTHS:
        for offset in (0, 1, 2, 3):
            key, ad, text = some(32), some(random.choice((0, 1, 16, 33))), some(length)
            wanted = bytearray(text + bytes(TAG_BYTES))
            nonce = random.choice((0, 1, 65535, (1 << 32) - 1, 1 << 32, (1 << 64) - 2))
            plain.Cipher(key).seal(nonce, ad, wanted, 0, length)
            cipher = device.Cipher(key)
            kept = between_guards(cipher)
            # Text before and behind the record in the same buffer, as in a channel's.
            record = Guarded(b"ab" + text + bytes(TAG_BYTES) + b"xyz", offset)
            cipher.seal(nonce, ad, record.view, 2, length)
            assert bytes(record.view) == b"ab" + bytes(wanted) + b"xyz"
            assert record.is_whole() and all(one.is_whole() for one in kept)
            assert cipher.open(nonce, ad, record.view, 2, length)
            assert bytes(record.view) == b"ab" + text + bytes(wanted[length:]) + b"xyz"
            assert record.is_whole() and all(one.is_whole() for one in kept)


def test_a_wrong_tag_changes_nothing_at_all():
    for length in LENGTHS:
        cipher = device.Cipher(some(32))
        kept = between_guards(cipher)
        data = some(length + TAG_BYTES)
        record = Guarded(data, 1)
        assert not cipher.open(7, b"", record.view, 0, length)
        assert bytes(record.view) == data and record.is_whole() and all(one.is_whole() for one in kept)


def test_what_does_not_fit_is_refused_before_anything_is_written():
    cipher = device.Cipher(some(32))
    for start, length in ((0, 17), (1, 16), (-1, 4), (0, -1), (33, 0), (1 << 30, 1 << 30)):
        record = Guarded(bytes(32))
        for act in (cipher.seal, cipher.open):
            try:
                act(0, b"", record.view, start, length)
            except ValueError:
                pass
            else:
                raise AssertionError("taken: %d %d" % (start, length))
        assert bytes(record.view) == bytes(32) and record.is_whole()


def test_a_ladder_stays_within_its_numbers():
    for scalar, u in ((some(32), some(32)), (bytes(32), b"\xff" * 32), (b"\xff" * 32, b"\xed" + b"\xff" * 31)):
        ladder = device.Ladder(scalar, u)
        count = len(ladder._numbers)
        numbers = array("H", [0xA5C3] * (count + 64))
        for at in range(count):
            numbers[32 + at] = ladder._numbers[at]
        ladder._numbers = memoryview(numbers)[32 : 32 + count]
        columns = Guarded(ladder._columns, 8)
        ladder._columns = columns.view
        assert ladder.result() == plain.Ladder(scalar, u).result()
        assert list(numbers[:32]) == list(numbers[-32:]) == [0xA5C3] * 32 and columns.is_whole()
