"""python -m search.submit — write checked submission files from stored test predictions.

Before the first submission of a trial, images read anew from their files have to reproduce its
stored predictions. Nothing is uploaded; that is up to you. A file made elsewhere is checked in the
same way and, with predictions of the hold-out, takes part in everything that follows.

  python -m search.submit                      the best finished trial
  python -m search.submit select=baseline
  python -m search.submit select=band:6        six of those that compete for the best, evenly
  python -m search.submit select=spread:4      four over the whole range
  python -m search.submit select=promotion:<id>    the blend of a promotion's folds
  python -m search.submit select=blend:b001        a blend of several models
  python -m search.submit file=anna.csv validation=anna_oof.csv by=anna
"""

from __future__ import annotations

from search.options.analysis import SubmitConfig
from search.options.command_line import main


def run(config: SubmitConfig) -> int:
    """Writes submissions; returns the exit code."""
    from search.competition.submissions import submit

    return submit(config)


if __name__ == "__main__":
    main(SubmitConfig, run, __doc__ or "")
