"""python -m search.postprocess — what is made of predicted masks, chosen out of fold.

Weights or thresholds of classes, the smallest component, holes that are filled, opening and empty
images are chosen on out-of-fold masks of a promotion or a blend, and judged by folds that had no
say in what is done to them. Nothing is trained, and only what asks for it is post-processed.

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
