# Runs on MicroPython: judge.py IMAGE LOG TORN app|store. After each flash operation of the log (with TORN 1: with the
# next one half done) it mounts the image and says "NUMBER " and which app would start: "FOLDER MAIN", or what is wrong;
# or whose it is: "FORGETS KEY FILE ..." (the key in hex, or "-").
import binascii
import hashlib
import json
import os
import struct
import sys

import vfs

BLOCK = 4096


class Memory:
    """A flash of which nothing is lost: what the file system writes is forgotten by undo()."""

    def __init__(self, image):
        self.image = image
        self.view = memoryview(image)
        self.undone = []

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        buf[:] = self.view[at : at + len(buf)]

    def keep(self, at, n):
        self.undone.append((at, bytes(self.view[at : at + n])))

    def writeblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        self.keep(at, len(buf))
        self.view[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.image) // BLOCK
        if op == 5:
            return BLOCK
        if op == 6:
            self.keep(arg * BLOCK, BLOCK)
            self.view[arg * BLOCK : (arg + 1) * BLOCK] = b"\xff" * BLOCK
        return 0

    def undo(self):
        while self.undone:
            at, data = self.undone.pop()
            self.view[at : at + len(data)] = data

    def do(self, at, data, n):
        """An operation of the log, n bytes of it."""
        self.keep(at, n)
        if data is None:
            self.view[at : at + n] = b"\xff" * n
        else:
            both = int.from_bytes(self.view[at : at + n], "little") & int.from_bytes(data[:n], "little")
            self.view[at : at + n] = both.to_bytes(n, "little")


def digest(path):
    with open(path, "rb") as f:
        return binascii.hexlify(hashlib.sha256(f.read()).digest()).decode()


def verdict(memory):
    vfs.mount(vfs.VfsLfs2(memory), "/pin")
    try:
        with open("/pin/current") as f:
            folder = f.read().strip()
        with open("/pin/" + folder + "/manifest.json") as f:
            files = json.load(f)["files"]
        for path in files:
            if digest("/pin/" + folder + "/" + path) != files[path]:
                return "WRONG " + path
        return folder + " " + digest("/pin/main.py")[:8]
    except (OSError, ValueError) as error:
        return "WRONG " + repr(error)
    finally:
        vfs.umount("/pin")


def listed(path):
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def store(memory):
    vfs.mount(vfs.VfsLfs2(memory), "/pin")
    try:
        forgets = "forget" in listed("/pin/data")
        try:
            with open("/pin/data/state/key", "rb") as f:
                key = binascii.hexlify(f.read()[12:]).decode() or "-"
        except OSError:
            key = "-"
        files = [
            folder + "/" + name
            for folder in ("clips", "notices", "state")
            for name in listed("/pin/data/" + folder)
            if name not in ("key", "owner")
        ]
        return " ".join([str(int(forgets)), key] + files)
    finally:
        vfs.umount("/pin")


def main(image, log, torn, verdict):
    with open(image, "rb") as f:
        memory = Memory(bytearray(f.read()))
    number = 0
    with open(log, "rb") as f:
        while True:
            head = f.read(6)
            if len(head) < 6:
                break
            block, offset, n = struct.unpack("<HHH", head)
            data = None if n == 0xFFFF else f.read(n)
            n = BLOCK if data is None else n
            at = block * BLOCK + offset
            if torn:
                memory.do(at, data, n // 2)
                print(number, verdict(memory))
                memory.undo()
            memory.do(at, data, n)
            memory.undone.clear()
            number += 1
            if not torn:
                print(number, verdict(memory))
                memory.undo()


main(sys.argv[1], sys.argv[2], sys.argv[3] == "1", {"app": verdict, "store": store}[sys.argv[4]])
