"""What the store's tests do again and again: open one, record a clip, read it back."""

from flash import Random, Trace

from lapel.services.store import Store

META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 12345, "t": None, "re": None}


def make(flash, seed=1, trace=None, statvfs=None):
    store = Store(flash.root, Random(seed), trace or Trace(), statvfs or plenty)
    store.mount()
    return store


def plenty(_):
    return (4096, 4096, 1000, 900, 900)


def speech(length, seed=7):
    block = Random(seed)(997)
    return (block * (length // 997 + 1))[:length]


def record(store, length):
    writer = store.begin(META)
    data = speech(length)
    for at in range(0, length, 128):
        writer.write(data[at : at + 128])
    writer.finish(length // 8)
    return writer.number


def read(store, number):
    reader = store.open(number)
    out, buffer = b"", bytearray(500)
    while True:
        got = reader.read_at(len(out), buffer)
        if not got:
            break
        out += bytes(buffer[:got])
    result = out, reader.cut, reader.size, reader.ms
    reader.close()
    return result
