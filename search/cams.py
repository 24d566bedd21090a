"""python -m search.cams — first masks from a search of classes, by class activation maps.

A trial that classifies whole images shows where it sees each training image's class. Writes a PNG
mask per image and the tables that data.root= and data.mask= read, and prints the command that
trains on them. Such masks are rough: pixels that a map is unsure about are void, and nobody has
checked the others.

  python -m search.cams
  python -m search.cams select=aug-005 background=[empty] to=rough
"""

from __future__ import annotations

from search.options.cams import CamsConfig
from search.options.command_line import main


def run(config: CamsConfig) -> int:
    """Writes masks and tables; returns the exit code."""
    from search.competition.starting_masks import starting_masks

    return starting_masks(config)


if __name__ == "__main__":
    main(CamsConfig, run, __doc__ or "")
