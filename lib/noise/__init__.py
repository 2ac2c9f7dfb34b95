"""Noise_NNpsk0_25519_ChaChaPoly_SHA256 (The Noise Protocol Framework, revision 34) for both Pythons.

`nnpsk0` is the handshake. What does its arithmetic is a *suite*, of which there are three with one shape (`suite`
tells it): `device` is machine code for a pin, `host` the computer's, `plain` the readable reference of both.
"""
