"""python -m search.export — a promotion's or a blend's models as a folder that predicts on its own.

Writes weights (safetensors), policies, configurations and a predict.py that needs torch, timm and
OpenCV only, for contests that run your code offline. It is run once on test images, has to give the
stored probabilities, and its time per image is printed. A blend goes with its views and recipe,
masks are post-processed where postprocess= says so. With views= it averages these views of every
image, as search.blend with recipe=mean does. The MLflow registry gets promotions as they are, too.

  python -m search.export promotion=p1 to=model
  python -m search.export promotion=p1 to=model views=[hflip,zoom]
  python -m search.export blend=b001 to=model
  python -m search.export postprocess=m001 to=model
  python -m search.export promotion=p1 to=model onnx=true register=false
  python model/predict.py images/ --out predictions.csv
"""

from __future__ import annotations

from pathlib import Path

from search.options.command_line import main
from search.options.ensembles import ExportConfig
from spaces.errors import InputError


def run(config: ExportConfig) -> int:
    """Exports; returns the exit code."""
    if not config.to:
        raise InputError("to= is needed: the folder to write")
    to = Path(config.to)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InputError(f"to={config.to}: is there already, and is not an empty folder")
    if not to.resolve().parent.is_dir():
        raise InputError(f"to={config.to}: there is no folder {to.resolve().parent}")
    from search.promotion.exports import export

    return export(config)


if __name__ == "__main__":
    main(ExportConfig, run, __doc__ or "")
