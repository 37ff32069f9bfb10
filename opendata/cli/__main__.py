"""`python -m opendata.cli`: the same as the installed `opendata`."""

from opendata.cli import main

if __name__ == "__main__":
    main()
