"""The verdict on validation: printed, drawn, recorded and copied to MLflow."""

from __future__ import annotations

import json
from pathlib import Path

from results.leaderboard.entries import Assessed, EmbeddingNetwork
from results.reporting.figures import trust_scatter
from results.reporting.trust_report import settle_words, trust_page, trust_table
from results.trust.trust import Trust
from search.competition.assessment import assess_standing
from search.competition.standing import Standing, band_rule, open_standing
from search.competition.tracking import track_trust
from search.competition.validation_scores import ValidationScores, find_validation_scores
from search.competition.yardstick import check_frozen
from search.options.analysis import TrustConfig
from search.options.exit_codes import OK
from spaces.csv_table import write_csv_table
from spaces.errors import InputError
from spaces.files import whole_file


def assess_trust(config: TrustConfig) -> int:
    """Prints the page, writes figure and table, records the verdict; returns the exit code."""
    standing = open_standing(config, rule=band_rule(config.band))
    folder, leaderboard = standing.folder, standing.leaderboard
    leaderboard.set_rules(test_images=config.rules.test_images)
    if not standing.pool:
        raise InputError("there is no finished trial on fold 0 yet: python -m search.run")
    if not leaderboard.scored():
        raise InputError(
            "no submission has a score yet: python -m search.submit, then search.score"
        )
    folds = standing.search.opened.folds.digest
    check_frozen(leaderboard.frozen, standing.metric.name, folds, config.accept)
    offered = find_validation_scores(config, standing)
    trust = assess_standing(standing, offered, accepted="validation" in config.accept)
    lines = trust_page(
        trust,
        folder.name,
        standing.metric,
        len(standing.labelled.labels),
        offered.absent,
        offered.weighting,
    )
    left = leaderboard.allowance()
    settle = settle_words(trust, left)
    lines += [settle] if settle else []
    lines += [left.words] if left is not None else []
    print("\n".join(lines))
    table = trust_table(trust, leaderboard, standing.metric, {c.id: c.score for c in standing.pool})
    write_csv_table(table, folder / "trust.csv")
    figure = trust_scatter(trust, standing.metric)
    with whole_file(folder / "trust.png") as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    _record(config, standing, trust, offered)
    problem = track_trust(standing, trust, config.tracking, Path(config.runs))
    if problem:
        print(f"warning: MLflow does not have it ({problem}); search.trust copies it again")
    print(f"Table: {folder / 'trust.csv'}   figure: {folder / 'trust.png'}")
    if trust.following:
        print(f"Next:\n  python -m search.submit select={trust.following}")
    if config.json:
        print(json.dumps({"id": folder.name, "path": str(folder), "verdict": trust.verdict}))
    return OK


def _record(
    config: TrustConfig, standing: Standing, trust: Trust, offered: ValidationScores
) -> None:
    """Records the verdict; the first trusted validation, or an accepted other, is the yardstick."""
    leaderboard, accepted = standing.leaderboard, "validation" in config.accept
    trusted = trust.verdict == "trusted"
    leaderboard.add_assessment(
        Assessed(
            frozen=trusted and (leaderboard.frozen is None or accepted),
            verdict=trust.verdict,
            validation=trust.chosen,
            metric=standing.metric.name,
            folds=standing.search.opened.folds.digest,
            scored=len(trust.scored),
            evidence=trust.evidence,
            chance=trust.regret.chance,
            weights=offered.weights,
            network=EmbeddingNetwork(
                backbone=config.backbone, weights=config.weights, pretrained=config.pretrained
            ),
        )
    )
    if leaderboard.frozen is None or not trusted:
        return
    print(f"The validation is frozen: {leaderboard.frozen.validation} {leaderboard.frozen.metric}.")
