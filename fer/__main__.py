"""`python -m fer STEP`, as DVC stages say it: runs the code of the checkout it stands in."""

import sys

from fer.cli import main

sys.exit(main())
