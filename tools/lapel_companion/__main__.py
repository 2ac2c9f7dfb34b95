"""`python -m lapel_companion`: the same as `lapel`."""

from lapel_companion.cli import main

if __name__ == "__main__":
    main()
