"""python -m search.predict — predicts a folder of images with a promotion's or a blend's models.

New images are predicted as the submission was: a promotion's as they are, a blend's in its views
and by its recipe, masks post-processed where postprocess= says so. views= names other views.
Images that do not decode are listed and left out; the exit code is then 1. An interrupted run goes
on where it stopped.

  python -m search.predict images=new_photos/
  python -m search.predict promotion=p1 images=new_photos/ to=new.csv
  python -m search.predict blend=b001 images=new_photos/
  python -m search.predict promotion=p1 views=[hflip,rotate180] images=new_photos/
"""

from __future__ import annotations

from search.options.command_line import main
from search.options.ensembles import PredictImagesConfig


def run(config: PredictImagesConfig) -> int:
    """Predicts; returns the exit code."""
    from search.promotion.image_predictions import predict

    return predict(config)


if __name__ == "__main__":
    main(PredictImagesConfig, run, __doc__ or "")
