"""Geometry on pixels of four bytes: the library's pixels, under its names."""

from __future__ import annotations

from typing import Any

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import pytest

from trainables.augment import warps

FILL = (124, 116, 104)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Affine", {"rotate": (-40, 40), "shear": (-9, 9), "fill": FILL}),
        ("Affine", {"scale": (0.7, 1.4), "border_mode": cv2.BORDER_REFLECT_101}),
        ("Affine", {"rotate": (-40, 40), "interpolation": cv2.INTER_CUBIC}),
        ("Perspective", {"scale": (0, 0.3), "fill": FILL}),
        ("Perspective", {"scale": (0, 0.3), "fit_output": True}),
        ("GridDistortion", {"distort_limit": 0.4}),
        ("ElasticTransform", {"alpha": 50, "sigma": 6}),
    ],
)
def test_pixels_and_names_are_the_library_s(name: str, arguments: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (97, 133, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(noise, (5, 5), 0)
    mask = rng.integers(0, 5, image.shape[:2], dtype=np.uint8)
    theirs = A.Compose([getattr(A, name)(p=1, fill_mask=255, **arguments)])
    ours = A.from_dict(theirs.to_dict())  # as a team's own pipeline is built
    assert type(ours[0]) is getattr(warps, name)
    assert ours.to_dict() == theirs.to_dict()
    for picture in (image, image[..., 0].copy()):
        for draw in range(10):
            seen = []
            for pipeline in (theirs, ours):
                pipeline.set_random_seed(draw)
                seen.append(pipeline(image=picture, mask=mask))
            for part in ("image", "mask"):
                np.testing.assert_array_equal(seen[0][part], seen[1][part])


def test_an_image_is_sampled_with_four_bytes_a_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = []
    sample = A.Affine.apply

    def watched(self: Any, img: Any, **params: Any) -> Any:
        channels.append(img.shape[2:])
        return sample(self, img, **params)

    monkeypatch.setattr(A.Affine, "apply", watched)
    image = np.zeros((8, 8, 3), np.uint8)
    warps.Affine(rotate=(5, 5), p=1)(image=image, mask=image[..., 0])
    assert channels == [(4,)]
