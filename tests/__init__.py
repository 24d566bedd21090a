"""Tests. Each of pytest's processes keeps to a core, with all that it starts, and libraries that
would start a thread per core get one: so a search in a test trains one trial at a time, in a single
process that has torch to import.

Ray keeps the token of the first session in a process, so all sessions of one share it.
"""

import gc
import os
import secrets

from search.options.command_line import NEW_OBJECTS

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
gc.set_threshold(NEW_OBJECTS)
worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if worker and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
