"""What the computer sends to a pin to learn whose it is, and to give it a key. It uses the modules of the app that lies
there; the key comes on standard input, and is never told.

Each call prints one line that begins with @: a JSON object.
"""

import binascii
import hashlib
import json
import os
import sys

ROOT = "/data"
READY = "@ready"
# Both are known to tools/lapel_companion/pairing.py and tools/lapel_usb/owner.py.
PROOF = b"lapel proof\n"
FINGERPRINT = b"lapel fingerprint\n"
FINGERPRINT_BYTES = 4
# Beside the recordings: whose they are, should the key be damaged. A record as those of lapel/core/records.py.
OWNER = b"lapel owner\n"
OWNER_FILE = "/clips/owner"
_OWNER_KIND = 11
KEY_BYTES = 32
CHECK_BYTES = 4
_BLOCK_BYTES = 64
# A pin that nobody used has these.
_ANYBODYS = ("device", "counter", "tally", "key")


def find_app():
    """Puts the folder that main.py would take on the module path; called before anything else."""
    try:
        with open("current") as file:
            folder = file.read().split("\n")[0].strip()
    except OSError:
        return
    if folder not in sys.path:
        sys.path.insert(0, folder)


def look(nonce, root=None):
    """Whose pin this is: who has its key knows by `proof`, which is HMAC-SHA256 over the nonce."""
    try:
        __import__("lapel")
    except ImportError:
        return say(app=False)
    try:
        from lapel.services import pairing, store_files
        from lapel_wire import gatt
    except ImportError:
        return say(app=True, protocol=0)
    if root is None:
        root = _root()
    try:
        found, key = pairing.load(root), "none"
    except ValueError:
        found, key = None, "damaged"
    told = {"app": True, "protocol": gatt.PROTOCOL_VERSION, "root": root, "key": key, "boots": _text("boots")}
    told["forgets"] = store_files.is_forgetting(root)
    told["clips"] = len(_numbered(root + "/clips"))
    told["others"] = len(_numbered(root + "/notices")) + len(_listed(root + "/quarantine"))
    told["others"] += len([name for name in _listed(root + "/state") if name not in _ANYBODYS])
    told["owner"] = _hex(_owner(store_files, root))
    if found is not None:
        told["key"], told["generation"] = "there", found[0]
        told["fingerprint"] = _hex(hashlib.sha256(FINGERPRINT + found[1]).digest()[:FINGERPRINT_BYTES])
        told["proof"] = _hex(hmac(found[1], PROOF + nonce))
    return say(**told)


def take(generation, root=None):
    """The pin has this key from now on, durably: the computer writes it, and a check of it, when it reads READY."""
    from lapel.services import pairing, store_files

    print(READY)
    # in hex: no byte of it is a Ctrl-C
    data = binascii.unhexlify(sys.stdin.buffer.read(2 * (KEY_BYTES + CHECK_BYTES)))
    key = data[:KEY_BYTES]
    if hashlib.sha256(key).digest()[:CHECK_BYTES] != data[KEY_BYTES:]:
        return say(taken=False)
    if root is None:
        root = _root()
    pairing.save(root, generation, key)
    store_files.make_folder(root + "/clips")
    store_files.save(root + OWNER_FILE, _OWNER_KIND, hashlib.sha256(OWNER + key).digest())
    return say(taken=True)


def hmac(key, message):
    """HMAC-SHA256 (RFC 2104) by a key of at most 64 B."""
    padded = key + bytes(_BLOCK_BYTES - len(key))
    inner = hashlib.sha256(bytes([b ^ 0x36 for b in padded]) + message).digest()
    return hashlib.sha256(bytes([b ^ 0x5C for b in padded]) + inner).digest()


def say(**fields):
    """One line for the computer."""
    print("@" + json.dumps(fields))


def _root():
    # where the board keeps what it remembers
    import board

    return getattr(getattr(board, "Board", None), "flash_dir", ROOT)


def _owner(store_files, root):
    try:
        return store_files.load(root + OWNER_FILE, _OWNER_KIND) or b""
    except (ValueError, store_files.StoreError):
        return b""


def _hex(data):
    return binascii.hexlify(data).decode()


def _listed(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _numbered(folder):
    return [name for name in _listed(folder) if name.isdigit()]


def _text(path):
    try:
        with open(path) as file:
            return file.read(400)
    except (OSError, ValueError):
        return ""
