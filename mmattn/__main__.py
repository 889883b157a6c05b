"""`python -m mmattn`."""

import sys

from mmattn.cli.main import main

sys.exit(main())
