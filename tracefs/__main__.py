"""``python -m tracefs``: the same as the ``tracefs`` command."""

import sys

from tracefs.cli.main import main

sys.exit(main())
