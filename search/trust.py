"""python -m search.trust — does validation rank the good models as the leaderboard does?

Needs scored submissions: five in the competitive band for a verdict. Says which score follows the
leaderboard, on the hold-out or on unlabelled test images, how surely, and what to submit next. The
score in force chooses for search.submit, search.promote and search.final, which say when it is
wrong.

  python -m search.trust
  python -m search.trust rules.test_images=false    if the rules forbid looking at test images
"""

from __future__ import annotations

from search.options.analysis import TrustConfig
from search.options.command_line import main


def run(config: TrustConfig) -> int:
    """Prints the page, writes figure and table, records the verdict; returns the exit code."""
    from search.competition.verdict import assess_trust

    return assess_trust(config)


if __name__ == "__main__":
    main(TrustConfig, run, __doc__ or "")
