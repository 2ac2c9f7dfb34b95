"""The link to the pin: radios, connections, and what is said over them."""
