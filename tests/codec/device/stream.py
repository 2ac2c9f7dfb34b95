# micropython stream.py VARIABLE: frames on stdin, each a byte kbit/s and 640 B of samples; on stdout for each
# 2 B length, 4 B final range, the packet. 0 kbit/s: reset before the frame.
import struct
import sys

from lapel_audio.opus.encoder import MOST_BYTES, Encoder

encoder = Encoder(24, sys.argv[1] == "1")
frame = bytearray(641)
pcm = memoryview(frame)[1:]
out = bytearray(MOST_BYTES)
rate = 24
while sys.stdin.buffer.readinto(frame):
    if frame[0] == 0:
        encoder.reset()
    elif frame[0] != rate:
        rate = frame[0]
        encoder.set_rate(rate)
    size = encoder.encode(pcm, out)
    sys.stdout.buffer.write(struct.pack("<HI", size, encoder.final_range & 0xFFFFFFFF))
    sys.stdout.buffer.write(memoryview(out)[:size])
