# Runs on MicroPython: micropython replay.py TARGET FOLDER, inputs on stdin, one a line, in hex.
# Prints a verdict a line; at a line `alloc` the bytes of heap that are in use.
import gc
import sys

import both
import place


def verdict(run, data):
    try:
        return run(data)
    except MemoryError:
        return "MemoryError"
    except Exception as error:
        sys.print_exception(error, sys.stderr)
        return "%s: %s" % (type(error).__name__, error)


def in_use():
    gc.collect()
    return gc.mem_alloc()


def main(name, folder):
    run = both.target(name)
    place.use(folder)
    while True:
        line = sys.stdin.readline()
        if not line:
            break
        line = line.strip()
        print(in_use() if line == "alloc" else verdict(run, bytes.fromhex(line)))


main(sys.argv[1], sys.argv[2])
