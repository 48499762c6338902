"""`python -m models.readers FOLDER`: what `models.readers.guarded` starts. It reads FOLDER/request.json."""

import sys
from pathlib import Path

from models.readers.guarded import serve

if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1])))
