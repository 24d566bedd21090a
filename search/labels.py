"""python -m search.labels — training labels that are probably wrong, after a promotion.

Confident learning on its out-of-fold predictions. Writes a page of suspects with pictures, the
class that each is taken for and the images that look like it, and corrections.csv, a proposal per
suspect that you edit. data.corrections= then trains on what you left in it.

  python -m search.labels
  python -m search.labels promotion=p1
"""

from __future__ import annotations

from search.options.analysis import LabelsConfig
from search.options.command_line import main


def run(config: LabelsConfig) -> int:
    """Prints how many, writes page and tables; returns the exit code."""
    from search.promotion.suspects_report import suspect_labels

    return suspect_labels(config)


if __name__ == "__main__":
    main(LabelsConfig, run, __doc__ or "")
