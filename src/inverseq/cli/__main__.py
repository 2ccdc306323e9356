"""`python -m inverseq.cli`, the same as `inverseq`."""

import sys

from inverseq.cli import main

sys.exit(main())
