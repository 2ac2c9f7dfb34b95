"""The GATT face of a pin: names and numbers that both ends must agree on."""

# 2: the session is private. 1 spoke in the clear, and is refused.
PROTOCOL_VERSION = 2

SERVICE_UUID = "6c617065-6c00-4000-8000-000000000001"
UP_UUID = "6c617065-6c00-4000-8000-000000000002"
DOWN_UUID = "6c617065-6c00-4000-8000-000000000003"
INFO_UUID = "6c617065-6c00-4000-8000-000000000004"

# What `info` reads: protocol version and feature flags. Nothing in it identifies a pin.
INFO = bytes((PROTOCOL_VERSION, 0))
# The flag of a pin that has no key: it opens no session, and records nothing.
FLAG_UNPAIRED = 0x40
UNPAIRED_INFO = bytes((PROTOCOL_VERSION, FLAG_UNPAIRED))
# What it reads in safe mode is in `rescue`.

NAME = "Lapel"

# 247 fills one 251-byte link-layer packet (ATT MTU + 4 bytes of L2CAP); more would be split again.
MTU_WANTED = 247
MTU_MIN = 23
# An ATT header (opcode and handle) stands before every notification and write.
ATT_HEADER_BYTES = 3

# A session must be proved within this time; a link that is not is dropped.
HANDSHAKE_TIMEOUT_MS = 3000
