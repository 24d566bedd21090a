"""python -m search.labels — training labels that are probably wrong, after a promotion.

Runs confident learning on its out-of-fold predictions. Writes a page of suspects with pictures, the
proposed class and similar images, and corrections.csv with a proposal per suspect for you to edit.
data.corrections= then trains on the edited table.

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
