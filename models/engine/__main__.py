"""`python -m models.engine`: the engine's own process."""

import sys

from models.engine.process import main

if __name__ == "__main__":
    sys.exit(main())
