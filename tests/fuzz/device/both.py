"""The targets that run on both Pythons: a name, and what makes a short verdict of bytes."""

import file_targets
import pin_targets
import wire_targets

TARGETS = {
    "packets": wire_targets.packets,
    "message": wire_targets.message,
    "message_body": wire_targets.message_body,
    "safe_cause": wire_targets.safe_cause,
    "flight": wire_targets.flight,
    "record": file_targets.record,
    "marks": file_targets.marks,
    "ranges": file_targets.ranges,
    "pin_settings": file_targets.pin_settings,
    "clip": file_targets.clip,
    "store": file_targets.store,
    "conversation": pin_targets.conversation,
    "presses": pin_targets.presses,
    "gathering": pin_targets.gathering,
}
