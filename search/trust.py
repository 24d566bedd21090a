"""python -m search.trust — does validation tell the good models apart as the leaderboard does?

Needs scored submissions: five in the competitive band for a verdict. Says which way of scoring the
hold-out follows the leaderboard, how surely, and what to submit next.

  python -m search.trust
  python -m search.trust rules.test_images=false    where the rules forbid to look at test images
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from results.figures import trust_scatter
from results.quota import allowance, allowance_words
from results.trust import Trust
from results.trust_report import settle_words, trust_page, trust_table
from search.assessment import assess_standing
from search.board import Standing, band_rule, check_frozen, open_standing, track_trust
from search.board_config import TrustConfig
from search.cli import OK, main
from search.contenders import Contenders, find_contenders
from spaces.errors import InputError


def run(config: TrustConfig) -> int:
    """Prints the page, writes figure and table, records the verdict; returns the exit code."""
    standing = open_standing(config)
    folder, board = standing.folder, standing.board
    if not standing.pool:
        raise InputError("there is no finished trial on fold 0 yet: python -m search.run")
    if not board.scored():
        raise InputError(
            "no submission has a score yet: python -m search.submit, then search.score"
        )
    allowed = config.rules.test_images
    if allowed is not None and allowed != board.test_images:
        board.set_rules(test_images=allowed)
    folds = standing.search.opened["folds"]["digest"]
    check_frozen(board.frozen, standing.metric.name, folds, config.accept)
    contenders = find_contenders(config, standing)
    trust = assess_standing(
        standing, band_rule(config.band), contenders, accepted="validation" in config.accept
    )
    left = None
    if board.quota is not None:
        left = allowance(board.quota, board.spent(), time.time())
    lines = trust_page(
        trust,
        folder.name,
        standing.metric,
        len(standing.truth.labels),
        contenders.absent,
        contenders.shift,
    )
    settle = settle_words(trust, board.quota, left)
    lines += [settle] if settle else []
    if board.quota is not None and left is not None:
        lines.append(allowance_words(board.quota, left))
    print("\n".join(lines))
    table = trust_table(trust, board, standing.metric, {c.id: c.score for c in standing.pool})
    table.to_csv(folder / "trust.csv", index=False)
    trust_scatter(trust, standing.metric).savefig(folder / "trust.png", dpi=120)
    _record(standing, trust, contenders, "validation" in config.accept)
    problem = track_trust(standing, trust, config.tracking, Path(config.runs))
    if problem:
        print(f"warning: MLflow does not have it ({problem}); nothing is lost")
    print(f"Table: {folder / 'trust.csv'}   figure: {folder / 'trust.png'}")
    if trust.following:
        print(f"Next:\n  python -m search.submit select={trust.following}")
    if config.json:
        print(json.dumps({"id": folder.name, "path": str(folder), "verdict": trust.verdict}))
    return OK


def _record(standing: Standing, trust: Trust, contenders: Contenders, accepted: bool) -> None:
    """Records the verdict; the first trusted validation, or an accepted other, is the yardstick."""
    board = standing.board
    trusted = trust.verdict == "trusted"
    board.add_assessment(
        {
            "verdict": trust.verdict,
            "validation": trust.chosen,
            "metric": standing.metric.name,
            "folds": standing.search.opened["folds"]["digest"],
            "scored": len(trust.scored),
            "evidence": trust.evidence,
            "chance": trust.regret.chance,
            "weights": contenders.weights,
        },
        freeze=trusted and (board.frozen is None or accepted),
    )
    if board.frozen is None or not trusted:
        return
    print(f"The validation is frozen: {board.frozen.validation} {board.frozen.metric}.")


if __name__ == "__main__":
    main(TrustConfig, run, __doc__ or "")
