"""The identity of what computes a trial: our sources and the libraries beneath them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from spaces.digest import digest

DECISIVE = ("spaces", "trainables", "results/tasks", "results/metrics.py", "results/predictions.py")
"""Sources that decide what a training computes; reports, for example, do not."""

LIBRARIES = (
    "albumentations",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "scikit-learn",
    "timm",
    "torch",
    "torchvision",
)
"""Libraries that compute: with another version the same configuration may give other numbers."""


def code_digest(root: Path = Path(__file__).parents[2]) -> str:
    """Digest of the sources and versions that decide what a trial computes.

    Args:
        root: Folder of the packages.
    """
    sources = {}
    for place in DECISIVE:
        found = root / place
        for path in [found] if found.is_file() else sorted(found.rglob("*.py")):
            sources[path.relative_to(root).as_posix()] = path.read_text()
    return digest([sources, {name: _version(name) for name in LIBRARIES}])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # such as another build of OpenCV
        return ""
