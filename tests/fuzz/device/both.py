"""The targets that run on both Pythons: a name, and in which module the function of that name is."""

TARGETS = {
    "packets": "wire_targets",
    "message": "wire_targets",
    "message_body": "wire_targets",
    "safe_cause": "wire_targets",
    "flight": "wire_targets",
    "handshake": "handshake_targets",
    "records": "session_targets",
    "channel": "session_targets",
    "record": "file_targets",
    "marks": "file_targets",
    "ranges": "file_targets",
    "pin_settings": "file_targets",
    "clip": "file_targets",
    "store": "file_targets",
    "conversation": "pin_targets",
    "presses": "pin_targets",
    "gathering": "pin_targets",
}


def target(name):
    """What makes a short verdict of bytes. Only its own module is imported: a pin's heap is small."""
    return getattr(__import__(TARGETS[name]), name)
