"""`lapel bringup`: a guided self-test of a pin on the desk, over USB, and its report."""
