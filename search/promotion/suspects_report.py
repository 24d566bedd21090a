"""Suspicious labels and masks by a promotion's out-of-fold predictions: printed and written."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from results.records.trials import Search
from results.reporting.text import table
from search.competition.corrections import recorded_corrections
from search.competition.images import open_pictures
from search.competition.standing import Standing, open_standing
from search.competition.tracking import track_suspects
from search.options.analysis import LabelsConfig
from search.options.exit_codes import OK
from search.options.same_place import recorded_contest, same_place
from search.options.user_code import preparation_of
from search.promotion.ensemble_members import Member, newest_promotion
from search.promotion.label_suspects_report import FoundLabels
from search.promotion.mask_suspects_report import FoundMasks
from search.promotion.merged import find_merged
from spaces.csv_table import write_csv_table
from spaces.errors import InputError
from spaces.files import write_whole
from trainables.data.folds import Folds

CONFUSIONS = 8
"""Pairs of classes that are printed."""

UNLIKELY = 1 / 3
"""Share of suspects from which it is more likely that models are wrong than labels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judges:
    """A promotion whose models predicted every training image without having seen it.

    Attributes:
        search: The promotion.
        members: Its complete trials.
        folds: The split.
    """

    search: Search
    members: list[Member]
    folds: Folds

    @staticmethod
    def of(standing: Standing, name: str) -> Judges:
        """A promotion by name, the newest for none.

        Raises:
            InputError: If there is none, or it trained some folds only.
        """
        name = name or newest_promotion(standing)
        members = find_merged(standing, f"promotion:{name}", f"promotion={name}").members
        search = members[0].search
        assert search is not None
        folds = Folds.read(search.folds_file)
        trained = search.promotion.folds
        if trained < folds.count:
            raise InputError(
                f"promotion={search.id}: it trained {trained} of {folds.count} folds; every image "
                f"has to be predicted by a model that did not see it: python -m search.promote "
                f"folds={folds.count}"
            )
        return Judges(search=search, members=members, folds=folds)

    @property
    def words(self) -> str:
        """What judged."""
        count = len(self.members)
        trials = "1 promoted trial" if count == 1 else f"{count} promoted trials"
        return f"out-of-fold predictions of {self.search.id} ({trials}, {self.folds.count} folds)"


def suspect_labels(config: LabelsConfig) -> int:
    """Prints how many labels are suspicious, writes page and tables; returns the exit code.

    Raises:
        InputError: If there is no promotion that predicted every training image out of fold.
    """
    standing = open_standing(config)
    judges = Judges.of(standing, config.promotion)
    found = _find(standing, judges, config.prepare)
    folder = standing.folder / "labels" / judges.search.id
    command = _next_command(standing, folder, config)
    kept = _write(found, folder, judges.words, command)
    runs = Path(config.runs)
    problem = track_suspects(standing.folder.name, folder, found.share, config.tracking, runs)
    print(f"{standing.folder.name}: {found.headline}, by {judges.words}")
    if found.share > UNLIKELY:
        print(
            "warning: so many are seldom wrong; more likely the models are, above all where groups "
            "are held out whole. Models of random folds judge labels better: the same training and "
            "promotion with data.group= left empty, under runs= of their own"
        )
    if found.confusions:
        rows = [["label", "taken for", "suspects"]]
        rows += [[given, other, str(n)] for given, other, n in found.confusions[:CONFUSIONS]]
        print("\n".join(f"  {line}" for line in table(rows)))
    if problem:
        print(f"warning: MLflow does not have it ({problem}); search.labels copies it again")
    print(f"\nPage: {folder / 'index.html'}   tables: suspects.csv, corrections.csv beside it")
    if kept:
        print("corrections.csv was edited and is kept as it is; remove it for new proposals")
    if len(found.proposals):
        print("A suspect is no proof: look at the page, edit corrections.csv. Next:")
        print(f"  {command}")
    if config.json:
        print(json.dumps({"id": judges.search.id, "path": str(folder)}))
    return OK


def _find(standing: Standing, judges: Judges, prepare: str) -> FoundLabels | FoundMasks:
    """Suspects, with the pictures of the first fold's preparation."""
    search, folds = judges.search, judges.folds
    settled = recorded_corrections(search, folds)
    said = standing.task.average([m.read(standing)[0].predictions for m in judges.members])
    seen = search.of("fold")[0]
    preparation = preparation_of(seen.config, prepare, seen.id)
    contest, store = open_pictures(standing, preparation, seen.config.data.boxes, print)
    if search.truth is not None:
        return FoundMasks.of(contest, folds, said, search.truth, settled)
    return FoundLabels.of(contest, folds, said, store, settled)


def _next_command(standing: Standing, folder: Path, config: LabelsConfig) -> str:
    """The search that asks whether corrections help."""
    place = recorded_contest(standing.search.opened.options, standing.folder / "data")
    corrections = shlex.quote(f"data.corrections={folder}/corrections.csv")
    return f"python -m search.run space=labels{place} {corrections}{same_place(config)}"


def _write(found: FoundLabels | FoundMasks, folder: Path, source: str, command: str) -> bool:
    """Writes page and tables; returns whether a table that a person edited was kept."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(found.page(source, command), folder / "index.html")
    write_csv_table(found.table, folder / "suspects.csv")
    to, text = folder / "corrections.csv", found.proposals.to_csv(index=False)
    if to.exists() and to.read_text(encoding="utf-8") != text:
        return True
    write_whole(text, to)
    return False
