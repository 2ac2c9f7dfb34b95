"""What the pin starts: the board that lies beside the app, and the app on it."""

import gc

# Loading leaves much garbage between what stays; collected late, no large buffer would fit any more.
gc.threshold(4096)

import board
from lapel import app

gc.collect()
gc.threshold(-1)
app.run(board.build)
