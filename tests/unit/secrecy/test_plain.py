# The reference against the vectors of its RFCs.
import noise_vectors as vectors

from noise import plain

ONLY_CPYTHON = ("test_x25519_a_thousand_times",)


def test_x25519():
    for scalar, u, result in vectors.X25519:
        assert plain.x25519(scalar, u) == result


def iterated(rounds):
    k = u = b"\x09" + bytes(31)
    for _ in range(rounds):
        k, u = plain.x25519(k, u), k
    return k


def test_x25519_once():
    assert iterated(1) == vectors.ITERATED_1


def test_x25519_a_thousand_times():
    assert iterated(1000) == vectors.ITERATED_1000


def test_chacha20_block():
    key, counter, nonce, block = vectors.BLOCK
    assert plain.chacha20_block(key, counter, nonce) == block


def test_chacha20():
    nonce, text = vectors.ENCRYPTED
    assert plain.chacha20(bytes(range(32)), 1, nonce, vectors.SUNSCREEN) == text


def test_poly1305():
    for key, message, tag in vectors.POLY1305:
        assert plain.poly1305(key, message) == tag


def test_aead():
    key, nonce, ad, text, tag = vectors.AEAD
    assert plain.chacha20(key, 1, nonce, vectors.SUNSCREEN) == text
    assert plain.aead_tag(key, nonce, ad, text) == tag
