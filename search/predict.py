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

from pathlib import Path

from search.options.command_line import main
from search.options.ensembles import PredictImagesConfig
from spaces.errors import InputError


def run(config: PredictImagesConfig) -> int:
    """Predicts; returns the exit code."""
    if not config.images:
        raise InputError("images= is needed: the folder of images to predict")
    if not Path(config.images).is_dir():
        raise InputError(f"images={config.images}: there is no such folder")
    from search.promotion.image_predictions import predict

    return predict(config)


if __name__ == "__main__":
    main(PredictImagesConfig, run, __doc__ or "")
