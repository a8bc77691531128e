"""`python -m finetti`."""

import sys

from finetti.cli import main

if __name__ == "__main__":
    sys.exit(main())
