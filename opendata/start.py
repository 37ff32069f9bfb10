"""Where the program `opendata` (and `python -m opendata.start`) begins.

What its imports make stays as long as the program runs. Python would look again and again for what could go, which takes a
third of a command's start.
"""

import gc

gc.disable()

from opendata.cli import main  # noqa: E402 - what comes before is for this import

gc.freeze()
gc.enable()

__all__ = ["main"]

if __name__ == "__main__":
    main()
