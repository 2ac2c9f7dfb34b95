# Published vectors: facts, with the place where each stands.
from binascii import unhexlify


def h(text):
    return unhexlify("".join(text.split()))


# RFC 7748, 5.2: scalar, u, result.
X25519 = (
    (
        h("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        h("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
        h("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
    ),
    (
        h("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
        h("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
        h("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
    ),
    # 6.1: the two public keys, and the secret from both sides
    (
        h("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
        h("09" + 31 * "00"),
        h("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
    ),
    (
        h("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
        h("09" + 31 * "00"),
        h("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
    ),
    (
        h("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
        h("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
        h("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
    ),
)
# 5.2: k and u begin as 9; after 1 and after 1,000 rounds of (k, u) = (x25519(k, u), k).
ITERATED_1 = h("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")
ITERATED_1000 = h("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")

# RFC 8439, 2.3.2: key, counter, nonce, block.
BLOCK = (
    bytes(range(32)),
    1,
    h("000000090000004a00000000"),
    h(
        """10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e
        d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"""
    ),
)
SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
# 2.4.2, under the same key: nonce, text.
ENCRYPTED = (
    h("000000000000004a00000000"),
    h(
        """6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b
        f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8
        07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736
        5af90bbf74a35be6b40b8eedf2785e42874d"""
    ),
)
# 2.8.2: key, nonce, ad, text, tag.
AEAD = (
    bytes(range(0x80, 0xA0)),
    h("070000004041424344454647"),
    h("50515253c0c1c2c3c4c5c6c7"),
    h(
        """d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6
        3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36
        92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
        3ff4def08e4b7a9de576d26586cec64b6116"""
    ),
    h("1ae10b594f09e26a7e902ecbd0600691"),
)
# 2.5.2 and appendix A.3: key, message, tag. From the fourth on they sit on the borders of the modulus.
POLY1305 = (
    (
        h("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"),
        b"Cryptographic Forum Research Group",
        h("a8061dc1305136c6c22b8baf0c0127a9"),
    ),
    (bytes(32), bytes(64), bytes(16)),
    (
        h("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"),
        b"'Twas brillig, and the slithy toves\nDid gyre and gimble in the wabe:\n"
        b"All mimsy were the borogoves,\nAnd the mome raths outgrabe.",
        h("4541669a7eaaee61e708dc7cbcc5eb62"),
    ),
    (h("02" + 31 * "00"), h(16 * "ff"), h("03" + 15 * "00")),
    (h("02" + 15 * "00" + 16 * "ff"), h("02" + 15 * "00"), h("03" + 15 * "00")),
    (h("01" + 31 * "00"), h(16 * "ff" + "f0" + 15 * "ff" + "11" + 15 * "00"), h("05" + 15 * "00")),
    (h("01" + 31 * "00"), h(16 * "ff" + "fb" + 15 * "fe" + 16 * "01"), bytes(16)),
    (h("02" + 31 * "00"), h("fd" + 15 * "ff"), h("fa" + 15 * "ff")),
    (
        h("0100000000000000040000000000000000000000000000000000000000000000"),
        h(
            """e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000
            0000000000000000000000000000000001000000000000000000000000000000"""
        ),
        h("14000000000000005500000000000000"),
    ),
    (
        h("0100000000000000040000000000000000000000000000000000000000000000"),
        h("e33594d7505e43b900000000000000003394d7505e4379cd010000000000000000000000000000000000000000000000"),
        h("13000000000000000000000000000000"),
    ),
)

# github.com/flynn/noise, vectors.txt: prologue, first message, second message.
FLYNN_KEYS = (bytes(range(0x20, 0x40)), bytes(range(0x41, 0x61)))
FLYNN_PSK = b"!verysecretverysecretverysecret!"
FLYNN = (
    (
        b"",
        h("""358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254
        e7136508cb8178281204abd62e9f2a3e"""),
        h("""64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466
        922f3b7824001193c077abd8b7a73030"""),
    ),
    (
        b"notsecret",
        h("""358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254
        6e96a20116b68fd776478e81d11779ca"""),
        h("""64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466
        66f51bc44f88917daa53fb4529499b55"""),
    ),
)
# after both: from the initiator, from the responder
FLYNN_RECORDS = (
    (b"yellowsubmarine", h("b349a522c145762c7c737ac1d1425ce1fb25c7cca626177ee4ceed3cd6fb3d")),
    (b"submarineyellow", h("b41e24399dc3f1ad2faf82868700e4bf31bb89f6616e1d6a92802bb8ad80d6")),
)

# github.com/haskell-cryptography/cacophony, vectors/cacophony.txt; its handshake messages have payloads.
CACOPHONY_KEYS = (
    h("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"),
    h("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"),
)
CACOPHONY_PSK = b"This is my Austrian perspective!"
CACOPHONY_PROLOGUE = b"John Galt"
CACOPHONY_HASH = h("f4d03dc34495c95729ea6de9e1b59004b59733102488b3e24bc441e0be208eaf")
CACOPHONY = (
    (
        b"Ludwig von Mises",
        h("""ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944
        79b962b8aff8485742ac32f905ba45369e2465fb59e138a93d67a0d1266b6a54"""),
    ),
    (
        b"Murray Rothbard",
        h("""95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843
        d6062704d5a9c422a8e834423f8c1feada7e8d0d910a1a2cd030fb584221e3"""),
    ),
    (b"F. A. Hayek", h("e632c3763d7669067383433197a3baddf146e9e70ad4b4e9e59e0f")),
    (b"Carl Menger", h("64c6bee32ea91c8474bb4c21d7a700109ad45af77b29764ba5eb1e")),
    (
        b"Jean-Baptiste Say",
        h("e2fa0bed0603b62d3ccac2ecabbf3fe33f3e86514909b323361626266cb2471cc8"),
    ),
    (
        b"Eugen B\xf6hm von Bawerk",
        h("0c01dc9cec1fe4ddd692e8dd32188aa351088dc91183639a53b57aa4692b5ebdef8b8ca111"),
    ),
)
