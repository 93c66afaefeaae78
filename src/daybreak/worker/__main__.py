"""`python -m daybreak.worker`: what the server's supervisor starts."""

import sys

from daybreak.worker.process import main

sys.exit(main())
