"""python -m search.blend — one prediction from several promoted models, judged honestly.

Merges out-of-fold and test predictions of promotions, of views of their images (test-time
augmentation) and of models made elsewhere. Every recipe is fitted on all folds but one and scored
on that one; its score in sample is shown next to it.

  python -m search.blend                            everything that was promoted or imported
  python -m search.blend select=p1,p2/six-003,anna
  python -m search.blend select=p1 views=[hflip,rotate+5,rotate-5]
  python -m search.blend select=p1 views=auto       those that pay for their time
  python -m search.blend select=p1,p2 recipe=geometric
"""

from __future__ import annotations

from search.options.command_line import main
from search.options.ensembles import BlendConfig


def run(config: BlendConfig) -> int:
    """Blends; returns the exit code."""
    from search.promotion.blends import blend

    return blend(config)


if __name__ == "__main__":
    main(BlendConfig, run, __doc__ or "")
