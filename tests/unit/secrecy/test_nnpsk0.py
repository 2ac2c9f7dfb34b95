# The handshake against published vectors, and what it refuses, with each suite.
import noise_vectors as vectors

from noise import nnpsk0, plain
from noise.initiator import Initiator
from noise.symmetric import Symmetric

ONLY_CPYTHON = ("test_a_computer_s_arithmetic",)
ONLY_MICROPYTHON = ("test_machine_code",)
PSK = bytes(range(32))
# RFC 7748, 6: points of small order give an all-zero secret; the last two are 0 and 1 written above the modulus
SMALL_ORDER = (
    bytes(32),
    b"\1" + bytes(31),
    vectors.h("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    vectors.h("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    vectors.h("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    vectors.h("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    vectors.h("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
)


def pair(suite, psks, prologues, keys):
    sides = []
    for make, psk, prologue, key in zip((Initiator, nnpsk0.Responder), psks, prologues, keys):
        sides.append(make(suite, psk, prologue, nnpsk0.Ephemeral(suite, lambda n, key=key: key[:n])))
    return sides


def same(suite, keys=vectors.FLYNN_KEYS):
    return pair(suite, (PSK, PSK), (b"p", b"p"), keys)


def run(side):
    while not side.step():
        pass


def opened(suite, initiator, responder):
    """Both pairs of ciphers."""
    assert responder.take(initiator.start())
    run(responder)
    assert initiator.take(responder.reply())
    run(initiator)
    return initiator.result, responder.split()


def sealed(cipher, nonce, text):
    buffer = bytearray(text + bytes(16))
    cipher.seal(nonce, b"", buffer, 0, len(text))
    return bytes(buffer)


def unsealed(cipher, nonce, record):
    buffer = bytearray(record)
    return bytes(buffer[:-16]) if cipher.open(nonce, b"", buffer, 0, len(buffer) - 16) else None


def check_published(suite):
    for prologue, first, second in vectors.FLYNN:
        initiator, responder = pair(suite, 2 * (vectors.FLYNN_PSK,), 2 * (prologue,), vectors.FLYNN_KEYS)
        assert initiator.start() == first
        assert responder.take(first)
        run(responder)
        assert responder.reply() == second
        assert initiator.take(second)
        run(initiator)
        ours, theirs = initiator.result, responder.split()
        for (sender, receiver), (text, record) in zip(
            ((ours[0], theirs[1]), (theirs[0], ours[1])), vectors.FLYNN_RECORDS
        ):
            assert sealed(sender, 0, text) == record
            assert unsealed(receiver, 0, record) == text


def check_published_with_payloads(suite):
    # The tokens of both messages by hand: our own messages carry none.
    publics = [nnpsk0.Ephemeral(suite, lambda n, key=key: key).finish() for key in vectors.CACOPHONY_KEYS]
    ladder = suite.Ladder(vectors.CACOPHONY_KEYS[0], publics[1])
    run(ladder)
    shared = ladder.result()
    sides = [Symmetric(suite, nnpsk0.NAME, vectors.CACOPHONY_PROLOGUE) for _ in range(2)]
    for side in sides:
        side.mix_key_and_hash(vectors.CACOPHONY_PSK)
    for number, public in enumerate(publics):
        for side in sides:
            side.mix_hash(public)
            side.mix_key(public)
            if number:
                side.mix_key(shared)
        payload, message = vectors.CACOPHONY[number]
        assert public + sides[number].seal(payload) == message
        assert sides[1 - number].open(message[32:]) == payload
    assert sides[0].h == sides[1].h == vectors.CACOPHONY_HASH
    ciphers = sides[0].split()
    for number, (payload, message) in enumerate(vectors.CACOPHONY[2:]):
        assert sealed(ciphers[number & 1], number >> 1, payload) == message


def check_refusals(suite):
    # another psk, another prologue, every bit of the first message: refused before any ladder
    initiator, responder = same(suite)
    first = initiator.start()
    for bit in range(8 * len(first)):
        wrong = bytearray(first)
        wrong[bit >> 3] ^= 1 << (bit & 7)
        assert not responder.take(wrong)
    for other in (first[:47], first + b"\0", b"", bytes(48)):
        assert not responder.take(other)
    assert not pair(suite, (PSK, PSK[1:] + b"\0"), (b"p", b"p"), vectors.FLYNN_KEYS)[1].take(first)
    assert not pair(suite, (PSK, PSK), (b"p", b"q"), vectors.FLYNN_KEYS)[1].take(first)
    # it stands as before
    assert responder.take(first)
    assert not responder.take(first)
    run(responder)
    answer = responder.reply()
    assert responder.reply() is None
    assert not initiator.take(answer[:47]) and not initiator.take(answer + b"\0")
    assert initiator.take(answer) and not initiator.take(answer)
    run(initiator)
    assert initiator.result


def check_wrong_answers(suite, bits):
    for bit in bits:
        initiator, responder = same(suite)
        assert responder.take(initiator.start())
        answer = bytearray(responder.reply())
        answer[bit >> 3] ^= 1 << (bit & 7)
        assert initiator.take(answer)
        run(initiator)
        assert initiator.result is None
        assert not initiator.take(answer)


def check_small_order(suite):
    for point in SMALL_ORDER:
        for high in (0, 128):
            u = point[:31] + bytes((point[31] | high,))
            ladder = suite.Ladder(PSK, u)
            run(ladder)
            assert ladder.result() is None
    # a first message with a right tag, made by somebody who knows the psk
    symmetric = Symmetric(suite, nnpsk0.NAME, b"p")
    symmetric.mix_key_and_hash(PSK)
    symmetric.mix_hash(SMALL_ORDER[2])
    symmetric.mix_key(SMALL_ORDER[2])
    responder = same(suite)[1]
    assert responder.take(SMALL_ORDER[2] + symmetric.seal())
    run(responder)
    # nor are there ciphers for who did not ask for the answer
    assert responder.split() is None
    assert responder.reply() is None
    assert responder.split() is None
    # and as an answer
    initiator = same(suite)[0]
    initiator.start()
    assert initiator.take(SMALL_ORDER[3] + bytes(16))
    run(initiator)
    assert initiator.result is None


def check_once(suite):
    initiator, responder = same(suite)
    opened(suite, initiator, responder)
    assert responder.split() is None and responder.reply() is None
    for key in (initiator._ephemeral, responder._ephemeral):
        assert key.spent and key._scalar == bytes(32)
        for make in (lambda key=key: key.exchange(PSK), lambda key=key: Initiator(suite, PSK, b"", key)):
            try:
                make()
            except ValueError as error:
                assert "one handshake" in str(error)
            else:
                raise AssertionError("an ephemeral key was taken twice")
    assert initiator._psk == responder._psk == bytes(32)


def check_given_up(suite):
    initiator, responder = same(suite)
    first = initiator.start()
    assert responder.take(first)
    responder.step()
    responder.wipe()
    initiator.wipe()
    assert responder.step() and responder.reply() is None and responder.split() is None
    assert initiator.step() and initiator.result is None and not initiator.take(first)
    # before there was anything to give up
    initiator, responder = same(suite)
    for side in (initiator, responder):
        side._ephemeral.step()
        side.wipe()
        assert side._ephemeral.step() and side.step()
    assert responder.reply() is None and not responder.take(first)
    try:
        initiator.start()
    except ValueError as error:
        assert "one handshake" in str(error)
    else:
        raise AssertionError("it started with a wiped key")


def check(suite):
    check_published(suite)
    check_published_with_payloads(suite)
    check_refusals(suite)
    check_wrong_answers(suite, (0, 100, 255, 256, 300, 383))
    check_small_order(suite)
    check_once(suite)
    check_given_up(suite)


def test_plain_arithmetic():
    check(plain)


def test_machine_code():
    from noise import device

    check(device)


def test_a_computer_s_arithmetic():
    from noise import host

    check(host)


def test_a_step_is_one_of_one_ladder():
    taken = []

    class Counted:
        Cipher = plain.Cipher

        class Ladder(plain.Ladder):
            def step(self):
                # not the look of `result` whether it is done
                if self._bit >= 0:
                    taken.append(self)
                return plain.Ladder.step(self)

    initiator, responder = same(Counted)
    assert responder.take(initiator.start())
    del taken[:]
    steps = 0
    while not responder.step():
        steps += 1
        assert len(taken) <= steps
    # its own public key was still to be made
    assert len(taken) == 64 and taken[0] is not taken[-1]


def test_a_psk_has_32_bytes():
    for length in (0, 31, 33):
        try:
            Initiator(plain, bytes(length), b"", nnpsk0.Ephemeral(plain, bytes))
        except ValueError as error:
            assert "32 bytes" in str(error)
        else:
            raise AssertionError("%d bytes were taken" % length)
