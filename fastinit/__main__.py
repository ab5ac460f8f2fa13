"""``python -m fastinit``: the command line, as `fastinit.cli` has it."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
