"""What a policy draws for an image, without touching its pixels."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
from numpy.typing import NDArray

from spaces.augmentation.policy import AugPolicy
from trainables.augment.augmenter import Augmenter
from trainables.augment.clahe import limit_of
from trainables.augment.fog import kernel_of, veils_of
from trainables.augment.jpeg import steps_of
from trainables.augment.noise import FIELDS
from trainables.augment.pipelines import leaves_of
from trainables.augment.rounds import Step
from trainables.augment.transforms import SHADOWS

LEVELS = np.arange(256, dtype=np.uint8)
"""All grey levels."""

RAMP = LEVELS.reshape(16, 16, 1).repeat(3, axis=2)
"""A picture of them."""

Note = Callable[[Any, dict[str, Any]], Step]
"""From a transform and what it drew to a step."""


class Drawing(Augmenter):
    """Crops and resizes a stored image, and draws what a batch of them is then augmented with.

    It draws what an `Augmenter` draws of the same seed, epoch and image, since it is one whose
    transforms after the resizing write down what they would do.

    Args:
        policy: What to do; without courses and pipelines.
        size: Height and width of the result in pixels.
        seed: The trial's seed.
        side: Height and width of the stored images in pixels.
        fill: What uncovered borders show.
    """

    def __init__(
        self, policy: AugPolicy, size: tuple[int, int], seed: int, side: int, fill: str = "black"
    ) -> None:
        super().__init__(policy, size, seed, side, fill)
        self._steps: list[Step] = []
        first = 2 if policy.crops else 1
        for leaf in (leaf for t in self.transforms[first:] for leaf in leaves_of(t)):
            leaf.apply_with_params = functools.partial(self._note, leaf)
            if isinstance(leaf, A.GaussNoise):
                leaf.get_params_dependent_on_data = functools.partial(_noise_drawn, leaf)

    def drawn(
        self,
        image: NDArray[np.uint8],
        epoch: int,
        index: int,
        mask: NDArray[np.uint8] | None = None,
    ) -> tuple[dict[str, NDArray[np.uint8]], list[Step]]:
        """The resized image, and its mask, and what is left to do."""
        self._steps = []
        return self(image, epoch, index, mask), self._steps

    def _note(self, leaf: Any, params: dict[str, Any], **data: Any) -> dict[str, Any]:
        if not isinstance(leaf, A.NoOp):
            self._steps.append(NOTES[leaf.operation](leaf, params))
        return data


def _noise_drawn(leaf: Any, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """What ``A.GaussNoise`` draws, without the field, which takes a millisecond."""
    sigma = leaf.py_random.uniform(*leaf.std_range)
    leaf.py_random.uniform(*leaf.mean_range)
    return {"sigma": sigma, "field": leaf.random_generator.integers(0, FIELDS)}


def _numbers(**values: float) -> dict[str, NDArray[Any]]:
    return {name: np.array(value, np.float32) for name, value in values.items()}


def _turn(swap: bool = False, down: bool = False, across: bool = False) -> Note:
    values = {"swap": np.array(swap), "down": np.array(down), "across": np.array(across)}
    return lambda leaf, params: Step("turn", values)


_QUARTERS = (
    _turn(),
    _turn(swap=True, down=True),
    _turn(down=True, across=True),
    _turn(swap=True, across=True),
)


def _warp(matrix: NDArray[np.float64], xs: NDArray[Any], ys: NDArray[Any]) -> Step:
    """Pixel (x, y) shows what the matrix maps (xs[x], ys[y], 1) to."""
    values = {"matrix": matrix, "xs": xs, "ys": ys}
    return Step("warp", {name: value.astype(np.float32) for name, value in values.items()})


def _matrix(leaf: Any, params: dict[str, Any]) -> Step:
    height, width = params["shape"][:2]
    matrix = params["matrix"]
    if isinstance(leaf, A.Perspective):
        sides = (width / params["max_width"], height / params["max_height"], 1.0)
        matrix = np.diag(sides) @ matrix
    return _warp(np.linalg.inv(matrix), np.arange(width), np.arange(height))


def _grid(leaf: Any, params: dict[str, Any]) -> Step:
    return _warp(np.eye(3), params["map_x"][0], params["map_y"][:, 0])


def _field(leaf: Any, params: dict[str, Any]) -> Step:
    return Step("displace", {"x": params["map_x"], "y": params["map_y"]})


def _shadows(leaf: Any, params: dict[str, Any]) -> Step:
    """Which shadows every pixel is in, and what becomes of each grey level there."""
    region = np.zeros(params["shape"][:2], np.uint8)
    tables = [LEVELS] * 2**SHADOWS
    for i, (corners, dark) in enumerate(
        zip(params["vertices_list"], params["intensities"], strict=True)
    ):
        inside = cv2.fillPoly(np.zeros_like(region), [corners], (1,))
        region += inside << i
        darker = 1 - dark
        tables = [
            (t * darker).astype(np.uint8) if number >> i & 1 else t
            for number, t in enumerate(tables)
        ]
    return Step("shades", {"region": region, "tables": np.stack(tables)})


def _fog(leaf: Any, params: dict[str, Any]) -> Step:
    """How many veils every pixel is under, and what one makes of each grey level."""
    shape = params["shape"][:2]
    alpha = leaf.alpha_coef * params["intensity"]
    values = {
        "veils": veils_of(params["particle_positions"], params["radiuses"], *shape),
        "table": cv2.addWeighted(np.full_like(LEVELS, 255), alpha, LEVELS, 1 - alpha, 0).ravel(),
        "kernel": kernel_of(min(shape)),
    }
    return Step("fog", values)


def _clahe(leaf: Any, params: dict[str, Any]) -> Step:
    limit = limit_of(params["clip_limit"], *params["shape"][:2])
    return Step("clahe", {"limit": np.array(limit, np.int64)})


def _jpeg(leaf: Any, params: dict[str, Any]) -> Step:
    return Step("jpeg", {"steps": steps_of(params["quality"])})


def _levels(leaf: Any, params: dict[str, Any]) -> Step:
    """What becomes of each grey level, by albumentations' own word."""
    return Step("levels", {"table": leaf.apply(RAMP, **params)[..., 0].reshape(256)})


def _factor(kind: str, name: str = "") -> Note:
    return lambda leaf, params: Step(kind, _numbers(factor=params[name or kind]))


def _plain(kind: str) -> Note:
    return lambda leaf, params: Step(kind, {})


def _blur(leaf: Any, params: dict[str, Any]) -> Step:
    return Step("blur", {"kernel": params["kernel"].astype(np.float32)})


def _kernel(leaf: Any, params: dict[str, Any]) -> Step:
    """The kernel of a filter: what it makes of a point, turned."""
    point = np.zeros((63, 63, 3), np.float32)
    point[31, 31] = 1.0
    kernel = leaf.apply(point, **params)[::-1, ::-1, 0]
    reach = int(np.abs(np.argwhere(kernel > 0) - 31).max(initial=0))
    inner = slice(31 - reach, 32 + reach)
    return Step("filter", {"kernel": np.ascontiguousarray(kernel[inner, inner])})


def _noise(leaf: Any, params: dict[str, Any]) -> Step:
    field = np.array(params["field"], np.int64)
    return Step("noise", {**_numbers(sigma=params["sigma"]), "field": field})


def _sensor(leaf: Any, params: dict[str, Any]) -> Step:
    """One of the stored fields by the seed that was drawn for a field of its own."""
    intensity, field = params["intensity"], params["random_seed"] % FIELDS
    numbers = _numbers(intensity=intensity, shift=params["color_shift"] * intensity)
    return Step("sensor", {**numbers, "field": np.array(field, np.int64)})


def _holes(leaf: Any, params: dict[str, Any]) -> Step:
    return Step("holes", {"holes": params["holes"].astype(np.int64)})


def _coarse(leaf: Any, params: dict[str, Any]) -> Step:
    """Which row and which column each pixel is taken from."""
    height, width = params["shape"][:2]
    places = np.indices((height, width), dtype=np.float32).transpose(1, 2, 0)
    down, up = (leaf.interpolation_pair[way] for way in ("downscale", "upscale"))
    few = cv2.resize(places, None, fx=params["scale"], fy=params["scale"], interpolation=down)
    rows, cols = cv2.resize(few, (width, height), interpolation=up).astype(np.int64).T
    return Step("coarse", {"rows": rows[0], "cols": cols[:, 0]})


NOTES: dict[str, Note] = {
    "horizontal_flip": _turn(across=True),
    "vertical_flip": _turn(down=True),
    "transpose": _turn(swap=True),
    "rotate90": lambda leaf, params: _QUARTERS[params["factor"]](leaf, params),
    **dict.fromkeys(
        ("rotate", "shear_x", "shear_y", "translate_x", "translate_y", "scale", "perspective"),
        _matrix,
    ),
    "grid_distortion": _grid,
    "elastic": _field,
    **dict.fromkeys(
        ("brightness", "posterize", "solarize", "solarize_add", "invert", "gamma"), _levels
    ),
    "shadow": _shadows,
    "contrast": _factor("contrast"),
    "saturation": _factor("saturation"),
    "gray": lambda leaf, params: Step("saturation", _numbers(factor=0.0)),
    "hue": _factor("hue"),
    "sharpness": _factor("sharpness", "factor"),
    "autocontrast": _plain("autocontrast"),
    "equalize": _plain("equalize"),
    "blur": _blur,
    **dict.fromkeys(("motion_blur", "defocus"), _kernel),
    "noise": _noise,
    "iso_noise": _sensor,
    **dict.fromkeys(("cutout", "erasing", "grid_mask"), _holes),
    "downscale": _coarse,
    "compression": _jpeg,
    "clahe": _clahe,
    "fog": _fog,
}
"""By operation, but for cropping, which comes before the resizing."""
