"""python -m search.show — searches and trials without a browser.

Without a name it lists all searches; with one it shows a search's trials or a trial's epochs.

  python -m search.show                      all searches
  python -m search.show latest               the newest: all its trials and its closing page
  python -m search.show 20260101-120000-aug_policy-003    one trial, epoch by epoch
"""

from __future__ import annotations

from search.options.analysis import ShowConfig
from search.options.command_line import main


def run(config: ShowConfig) -> int:
    """Prints; returns the exit code."""
    from search.competition.overview import show

    return show(config)


if __name__ == "__main__":
    main(ShowConfig, run, __doc__ or "", positional="select")
