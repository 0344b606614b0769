"""The command line: `python -m attention`, or `attention`."""

import sys

from attention.commands.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
