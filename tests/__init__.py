"""Tests. Two processes share two cores: libraries that would start a thread per core get one."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
