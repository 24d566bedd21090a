"""python -m search.score — record leaderboard scores, and the quota of submissions.

A later score corrects an earlier one; both stay on record.

  python -m search.score submission=s001 public=0.83
  python -m search.score submission=s001 private=0.79
  python -m search.score import=submissions.csv      the table that the contest's site exports
  python -m search.score solution=solution.csv       score all submissions against known labels
  python -m search.score solution=public_solution.csv share=0.4
  python -m search.score quota=5/day reset=0 ends=2026-12-01
"""

from __future__ import annotations

from search.options.analysis import ScoreConfig
from search.options.command_line import main


def run(config: ScoreConfig) -> int:
    """Records scores; returns the exit code."""
    from search.competition.scores import score

    return score(config)


if __name__ == "__main__":
    main(ScoreConfig, run, __doc__ or "")
