"""Tests. Two processes share two cores: libraries that would start a thread per core get one.

Ray keeps the token of the first session in a process, so all sessions of one share it.
"""

import os
import secrets

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
