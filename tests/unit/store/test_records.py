"""Framing of durable records, and where a clip's bytes lie."""

from lapel.core import clip_layout, records
from lapel.services import clip_header
from lapel_wire import messages

META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 1, "t": None, "re": None, "n": 7}
META["ep"] = "0123456789abcdef"


def is_bad(function, *arguments):
    try:
        function(*arguments)
    except records.BadRecord:
        return True
    return False


def test_a_record_comes_back_and_every_flipped_bit_is_noticed():
    data = records.pack(records.SETTINGS, b"hello")
    assert records.unpack(records.SETTINGS, data) == b"hello"
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        assert is_bad(records.unpack, records.SETTINGS, broken), bit


def test_a_record_that_is_cut_short_or_of_another_kind_is_bad():
    data = records.pack(records.SETTINGS, b"hello")
    for length in range(len(data)):
        assert is_bad(records.unpack, records.SETTINGS, data[:length])
    assert is_bad(records.unpack, records.CANCELS, data)
    assert is_bad(records.unpack, records.SETTINGS, data + b"x")
    assert records.unpack(records.SETTINGS, data + b"x", exact=False) == b"hello"


def test_a_record_that_is_too_long_is_refused():
    try:
        records.pack(records.NOTICE, bytes(records.BODY_MAX_BYTES + 1))
    except ValueError as error:
        assert "longer than" in str(error)
        return
    raise AssertionError("taken")


def littlefs_block_data(index):
    """Data bytes in block `index` of a file, from littlefs' DESIGN.md: ctz(i) + 1 pointers of 4 bytes."""
    if index == 0:
        return 4096
    pointers = 1
    while not index & 1:
        index >>= 1
        pointers += 1
    return 4096 - 4 * pointers


def test_pages_are_the_blocks_of_the_file_system():
    offset = 0
    for page in range(300):
        assert clip_layout.page_start(page) == offset
        assert clip_layout.payload_bytes(page) == littlefs_block_data(page) - 4
        offset += littlefs_block_data(page)


def test_parts_of_blocks_are_pages_that_fill_them():
    for parts in (2, 3, 4):
        stream, file = 0, 0
        for page in range(300):
            block, part = divmod(page, parts)
            last = part == parts - 1
            size = littlefs_block_data(block) - (parts - 1) * (4096 // parts) if last else 4096 // parts
            assert clip_layout.page_start(page, parts) == file
            assert clip_layout.stream_start(page, parts) == stream
            assert clip_layout.payload_bytes(page, parts) == size - 4
            assert clip_layout.page_of(stream, parts) == page == clip_layout.page_of(stream + size - 5, parts)
            file, stream = file + size, stream + size - 4
            assert clip_layout.file_bytes(stream, parts) == file + clip_layout.END_BYTES


def test_positions_find_their_page():
    for position in range(0, 520_000, 61):
        page = clip_layout.page_of(position)
        assert clip_layout.stream_start(page) <= position < clip_layout.stream_start(page + 1)
    for page in range(130):
        start = clip_layout.stream_start(page)
        assert clip_layout.page_of(start) == page
        assert start == 0 or clip_layout.page_of(start - 1) == page - 1


def test_a_file_takes_the_blocks_that_its_size_needs():
    sizes = ((0, 0), (1, 1), (4096, 1), (4097, 2), (8188, 2), (8189, 3))
    for size, count in sizes:
        assert clip_layout.blocks(size) == count, size


def test_header_and_end_come_back():
    header = clip_header.pack(META)
    assert clip_header.unpack(header + bytes(50)) == (META, len(header))
    end = clip_layout.pack_end(40_000, 5000, bytes(range(32)), True)
    assert len(end) == clip_layout.END_BYTES
    assert clip_layout.unpack_end(end) == (40_000, 5000, bytes(range(32)), True)
    assert clip_layout.unpack_end(clip_layout.pack_end(1, 2, bytes(32), False))[3] is False


def test_a_header_that_the_wire_would_not_carry_is_bad():
    body = messages.write_body(messages.CLIP, META)
    for right, wrong in ((b'"n":', b'"m":'), (b"16000", b'"16k"'), (b"null", b"nul"), (b"}", b""), (b",", b", ")):
        assert right in body
        assert is_bad(clip_header.unpack, records.pack(records.HEADER, body.replace(right, wrong))), right
    for lost in META:
        meta = dict(META)
        del meta[lost]
        try:
            clip_header.pack(meta)
            raise RuntimeError("taken without " + lost)
        except ValueError as e:
            assert lost in str(e) or "keys" in str(e)


def test_sixty_seconds_of_speech_are_118_blocks():
    stream = 200 + 60 * clip_layout.bytes_per_second({"rate": 16000})
    assert clip_layout.blocks(clip_layout.file_bytes(stream)) == 118
    assert clip_layout.duration_ms(META, 40_000) == 5000
