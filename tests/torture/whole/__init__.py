"""Tier (c): pin, radio and companion as real processes; kill -9, failing system calls, power cuts."""

from tests.torture.whole.tier import Whole

__all__ = ["Whole"]
