"""Shared fixtures: images that commands decode."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search.jobs import preparation as jobs
from trainables.data.contest import Contest
from trainables.data.image_store import ImageStore
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation


@pytest.fixture(scope="session", autouse=True)
def _decoded_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The digits, as jobs prepare them: decoding takes a second, and finds the same each time."""
    stores = tmp_path_factory.mktemp("stores")

    def build(
        contest: Contest, preparation: Preparation, folder: Path, *told: Callable[..., None]
    ) -> ImageStore:
        if contest.name == "digits":
            known = build_store(contest, preparation, stores).path
            with contextlib.suppress(OSError):  # which is told in words below
                folder.mkdir(parents=True, exist_ok=True)
                for file in stores.glob(f"{known.stem}.*"):
                    shutil.copy(file, folder)
        return build_store(contest, preparation, folder, *told)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "build_store", build)
        yield
