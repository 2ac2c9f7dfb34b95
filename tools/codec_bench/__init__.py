"""The pin's codecs beside the reference: judges, measures, a table, a picture (`make bench-codec`)."""
