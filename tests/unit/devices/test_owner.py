"""What pairs a pin, on the pin: whose it is by proof, and a key that comes on standard input."""

import binascii
import hashlib
import io
import json
import sys

import owner
from flash import Flash

from lapel.services import pairing, store_files

KEY = bytes(range(32))
OTHER = bytes(range(64, 96))


class Stdin:
    def __init__(self, data):
        self.buffer = io.BytesIO(data)


class Sys:
    path = sys.path

    def __init__(self, data):
        self.stdin = Stdin(data)


def told(call, *arguments, stdin=b""):
    """What the computer would read: the object of the last line, and all that was printed."""
    lines = []
    owner.print = lambda words: lines.append(words)
    owner.sys = Sys(stdin)
    try:
        call(*arguments)
    finally:
        owner.sys = sys
        del owner.print
    return json.loads(lines[-1][1:]), "\n".join(lines)


def sent(key):
    return binascii.hexlify(key + hashlib.sha256(key).digest()[:4])


def test_hmac_by_published_vectors():
    # RFC 4231, cases 1 and 2
    mac = binascii.hexlify(owner.hmac(b"\x0b" * 20, b"Hi There"))
    assert mac == b"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    mac = binascii.hexlify(owner.hmac(b"Jefe", b"what do ya want for nothing?"))
    assert mac == b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_a_key_is_taken_and_proved_and_never_told():
    with Flash() as flash:
        answer, said = told(owner.take, 5, flash.root, stdin=sent(KEY))
        assert answer == {"taken": True} and said.startswith(owner.READY)
        assert pairing.load(flash.root) == (5, KEY)
        flash.remount()
        answer, seen = told(owner.look, b"nonce", flash.root)
        assert answer["key"] == "there" and answer["generation"] == 5
        assert answer["proof"] == binascii.hexlify(owner.hmac(KEY, b"lapel proof\nnonce")).decode()
        assert answer["owner"] == binascii.hexlify(hashlib.sha256(b"lapel owner\n" + KEY).digest()).decode()
        for text in (said, seen):
            assert binascii.hexlify(KEY).decode() not in text and str(KEY)[2:-1] not in text


def test_another_key_takes_the_place_of_the_first():
    with Flash() as flash:
        told(owner.take, 5, flash.root, stdin=sent(KEY))
        told(owner.take, 6, flash.root, stdin=sent(OTHER))
        assert pairing.load(flash.root) == (6, OTHER)


def test_a_key_that_came_damaged_is_not_taken():
    with Flash() as flash:
        told(owner.take, 5, flash.root, stdin=sent(KEY))
        answer, _ = told(owner.take, 6, flash.root, stdin=sent(OTHER)[:-8] + b"00000000")
        assert answer == {"taken": False}
        assert pairing.load(flash.root) == (5, KEY)


def test_what_lies_on_a_pin_is_counted():
    with Flash() as flash:
        answer, _ = told(owner.look, b"", flash.root)
        assert (answer["key"], answer["clips"], answer["others"], answer["forgets"]) == ("none", 0, 0, False)
        for name in ("state", "clips", "notices", "quarantine"):
            store_files.make_folder(flash.root + "/" + name)
        # a new pin has these
        for name in ("state/device", "state/counter", "clips/counter"):
            store_files.save(flash.root + "/" + name, 3, b"1234")
        answer, _ = told(owner.look, b"", flash.root)
        assert answer["clips"] == answer["others"] == 0
        for name in ("clips/00000001", "clips/00000002", "notices/00000001", "state/settings", "quarantine/clip-1 bad"):
            store_files.save(flash.root + "/" + name, 3, b"1234")
        with open(flash.root + "/forget", "wb") as file:
            file.write(b"\n")
        answer, _ = told(owner.look, b"", flash.root)
        assert (answer["clips"], answer["others"], answer["forgets"]) == (2, 3, True)


def test_a_damaged_key_is_told_as_one():
    with Flash() as flash:
        told(owner.take, 5, flash.root, stdin=sent(KEY))
        with open(flash.root + "/state/key", "rb") as file:
            data = file.read()
        with open(flash.root + "/state/key", "wb") as file:
            file.write(data[:-1] + b"!")
        answer, _ = told(owner.look, b"", flash.root)
        assert answer["key"] == "damaged" and "proof" not in answer and len(answer["owner"]) == 64
