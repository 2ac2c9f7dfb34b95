"""python -m lapel_usb"""

import sys

from lapel_usb.cli import run

if __name__ == "__main__":
    sys.exit(run())
