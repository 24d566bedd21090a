"""python -m search.stress — what makes training images look like the test's, fitted without labels.

Finds strengths of a few operations (blur, noise, compression, light, tilt, crop, …) under which a
classifier finds training and test images hardest to tell apart, judges them on images that they
were not fitted on, and keeps them if the gain is more than noise. Searches predict held-out
images under them (predict.stress=auto) or optimise that score (objective=stress); search.trust
compares it with the leaderboard.

  python -m search.stress
  python -m search.stress data=csv data.root=/data/birds size=128
"""

from __future__ import annotations

from search.options.audit import StressConfig
from search.options.command_line import main


def run(config: StressConfig) -> int:
    """Fits, prints, and keeps what is worth it; returns the exit code."""
    from search.competition.stresses import fit_contest_stress

    return fit_contest_stress(config)


if __name__ == "__main__":
    main(StressConfig, run, __doc__ or "")
