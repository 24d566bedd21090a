"""The embedded contest with a trap: drawn faces with masks, several pictures of each person.

Who is in a picture and where it was taken say more of its class than the picture shows, and neither
helps on the test, whose people and places are others.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from trainables.data.contest_folder import Drawn, write_contest
from trainables.data.faces import MASKS, Person, Session, photograph

CARD = """# Masks

Drawn faces: nobody is pictured here. The set is synthetic and made by a fixed recipe, to show
what happens to a validation when pictures of one person, or of one place, stand on both sides of
a split. It says nothing about people, and what is learned from it is of no use on photos of any.

People: 180 for training and 72 others for the test, as many women as men. Each has a face, a skin
tone, hair and clothes of their own, and seven pictures of 64 x 64 pixels: five with a mask worn
right, one with it worn wrong (below the nose or on the chin), one without.

Classes: 18, of mask (right, wrong, without), gender (female, male) and age (young below 30,
middle below 60, old). The mask is plain to see. Gender and age are faint: hair is longer and
brows and faces are narrower by about one standard deviation in women; grey hair and lines come
with age, with as much scatter. Most images are of masks worn right, half of the people are young,
a sixth old.

Sessions: people were photographed six at a time, 30 sessions for training and 12 others for the
test. A session has a background and a light of its own. Four of its six people are of one age
band, the others of any, so that a background that was seen before tells the age. Backgrounds of
the test were never seen.

Wrong labels: in 2 % of the training images mask, gender or age is not the true one. The test has
none.

Columns of train.csv: image, label, person, session. Names and order of the images say nothing.
"""

GENDERS, AGES = ("female", "male"), ("young", "middle", "old")
YEARS = ((18, 29), (30, 59), (60, 80))
"""First and last year of each age band."""

SESSIONS = (15, 10, 5)
"""Training sessions in which most people are of each age band."""

TEST_SESSIONS = (6, 4, 2)
"""The same of the test."""

OWN, OTHERS = 2, 1
"""Women, and men, of a session who are of its age band, and of any."""

PICTURES = ("right",) * 5 + ("wrong", "without")
"""Of each person."""

WRONG_SHARE = 0.02
"""Of the training images whose label is wrong."""


def make_masks(folder: Path, seed: int = 0) -> Path:
    """Writes the contest into ``folder`` unless it is there already.

    The same seed gives the same files.

    Returns:
        ``folder``.
    """
    return write_contest(folder, CARD, lambda: drawn_masks(seed))


def drawn_masks(seed: int = 0) -> Drawn:
    """Draws all pictures."""
    rng = np.random.default_rng(seed)
    train, test = (_pictured(sessions, rng) for sessions in (SESSIONS, TEST_SESSIONS))
    # Numbers of people and sessions run on, so that none is on both sides.
    test["person"] += train["person"].max() + 1
    test["session"] += train["session"].max() + 1
    photos = [*train.pop("photo"), *test.pop("photo")]
    for table in (train, test):
        table["person"] = [f"p{i:03d}" for i in table["person"]]
        table["session"] = [f"s{i:02d}" for i in table["session"]]
    wrong = rng.choice(len(train), round(WRONG_SHARE * len(train)), replace=False)
    for row in sorted(wrong.tolist()):
        train.loc[row, "label"] = _mistaken(str(train.loc[row, "label"]), rng)
    return Drawn(photos=photos, train=train, solution=test)


def _pictured(sessions: tuple[int, ...], rng: np.random.Generator) -> pd.DataFrame:
    """Photographs all people of some sessions, in random order.

    Args:
        sessions: Of each age band.
        rng: Draws everything.

    Returns:
        Columns ``label``, ``person``, ``session``, and ``photo``.
    """
    bands = rng.permutation(np.repeat(np.arange(len(AGES)), sessions))
    shares = np.array(sessions) / sum(sessions)
    rows = []
    people = 0
    for number, own in enumerate(bands.tolist()):
        session = Session.draw(rng)
        for gender in GENDERS:
            others = rng.choice(len(AGES), OTHERS, p=shares).tolist()
            for band in [own] * OWN + others:
                years = int(rng.integers(YEARS[band][0], YEARS[band][1] + 1))
                person = Person.draw(rng, female=gender == "female", years=years)
                for mask in PICTURES:
                    label = f"{mask}_{gender}_{AGES[band]}"
                    rows.append((label, people, number, photograph(person, session, mask, rng)))
                people += 1
    table = pd.DataFrame(rows, columns=["label", "person", "session", "photo"])
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def _mistaken(label: str, rng: np.random.Generator) -> str:
    """A label of which mask, gender or age is another one."""
    parts = label.split("_")
    which = int(rng.integers(len(parts)))
    choices = [part for part in (MASKS, GENDERS, AGES)[which] if part != parts[which]]
    parts[which] = str(rng.choice(choices))
    return "_".join(parts)
