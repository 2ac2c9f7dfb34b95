# What an image holds when the app is frozen into it. A board's manifest.py includes this with its name.

# Of the port's own modules all that is needed: _boot.py and inisetup.py have ours in their place.
freeze("$(PORT_DIR)/modules", ("flashbdev.py",))
include("$(MPY_DIR)/extmod/asyncio")
require("aioble-peripheral")
require("aioble-server")

module("_boot.py")
module("main.py", base_path="../../firmware")
package("lapel", base_path="../../firmware")
package("lapel_audio", base_path="../../lib")
# not the halves for other computers
package(
    "lapel_wire",
    (
        "__init__.py", "channel.py", "clips.py", "flight_log.py", "gatt.py", "messages.py", "packets.py", "rescue.py",
        "schema.py", "session.py", "utf8.py",
    ),
    base_path="../../lib",
)  # fmt: skip
package(
    "noise",
    ("__init__.py", "cipher_kernels.py", "curve_kernels.py", "device.py", "nnpsk0.py", "suite.py", "symmetric.py"),
    base_path="../../lib",
)
package("drivers", base_path="../../lib")
module("board.py", base_path="../" + options.board)
