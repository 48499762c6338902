"""`python -m models`: see `models.shell`."""

import sys

from models.shell import main

if __name__ == "__main__":
    sys.exit(main())
