"""``python tools/crash_suite`` (also ``make crash-suite``): explore the cases."""

import sys
from pathlib import Path

# Started by its folder's name, Python knows the folder and not the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from crash_suite.cli import main  # the path has to be known first

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
