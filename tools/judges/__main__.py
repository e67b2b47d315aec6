"""``python tools/judges`` (also ``make judges``): run the programs under faults."""

import sys
from pathlib import Path

# Started by its folder's name, Python knows the folder and not the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from judges.cli import main  # the path has to be known first

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
