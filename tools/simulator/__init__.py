"""The host half of the simulated pin: microphone, button, LED, haptic, battery, flash, radio, and `lapel
sim`."""
