"""What the pin starts: the board that lies beside the app, and the app on it."""

import board
from lapel import app

app.run(board.build)
