"""``python -m fastinit``: the command line, as `fastinit.commands.cli` has it."""

import sys

from .commands.cli import main

if __name__ == "__main__":
    sys.exit(main(default="bench"))
