"""The pin's own encoders run on this computer: a recording in, something a player plays out (`lapel codec`)."""
