"""The figures of the loop, under device time: `make bench`."""
