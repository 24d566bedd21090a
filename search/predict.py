"""python -m search.predict — predicts a folder of images with a promotion's models.

Images that do not decode are listed and left out; the exit code is then 1. An interrupted run goes
on where it stopped.

  python -m search.predict images=new_photos/
  python -m search.predict promotion=p1 images=new_photos/ to=new.csv
"""

from __future__ import annotations

from search.options.analysis import PredictImagesConfig
from search.options.command_line import main


def run(config: PredictImagesConfig) -> int:
    """Predicts; returns the exit code."""
    from search.promotion.image_predictions import predict

    return predict(config)


if __name__ == "__main__":
    main(PredictImagesConfig, run, __doc__ or "")
