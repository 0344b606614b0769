"""`python -m attention.survey`: see `attention.survey.command`."""

import sys

from attention.survey.command import main

if __name__ == "__main__":
    sys.exit(main())
