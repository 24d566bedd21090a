"""python -m search.postprocess — post-processing of predicted masks, chosen out of fold.

Chooses weights or thresholds of classes, the smallest component, filled holes, opening and empty
images on out-of-fold masks of a promotion or a blend, and judges them by folds that did not choose
them. Nothing is trained, and only commands that ask for it post-process.

  python -m search.postprocess                     the newest promotion
  python -m search.postprocess select=p1
  python -m search.postprocess select=blend:b001
  python -m search.submit select=postprocess:m001
  python -m search.predict postprocess=m001 images=new_photos/
"""

from __future__ import annotations

from search.options.command_line import main
from search.options.ensembles import PostprocessConfig


def run(config: PostprocessConfig) -> int:
    """Chooses and judges; returns the exit code."""
    from search.promotion.postprocessing import postprocess

    return postprocess(config)


if __name__ == "__main__":
    main(PostprocessConfig, run, __doc__ or "")
