"""python -m search.final — which submissions to select for the private leaderboard.

Weighs public and validation scores by how far each can be trusted, and accounts for submissions
that err alike. Shows what its selection can expect next to the usual ones: the best by public
score, and the best by validation.

  python -m search.final
  python -m search.final select=1
  python -m search.final images=4200        private test images, where the site says how many
"""

from __future__ import annotations

from search.options.analysis import FinalConfig
from search.options.command_line import main


def run(config: FinalConfig) -> int:
    """Prints the selection, writes the table; returns the exit code."""
    from search.competition.selection_report import select_submissions

    return select_submissions(config)


if __name__ == "__main__":
    main(FinalConfig, run, __doc__ or "")
