"""Everything that goes to a pin over USB: flashing, console, logs, backup. Built on mpremote."""
