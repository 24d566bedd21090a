"""python -m search.audit — what is wrong with the data and the split, before a GPU is used.

Reads every image once. Finds unreadable files, the same picture on both sides of the split or with
two labels, groups that nobody named, classes that cannot be spread over the folds, and how test
images differ. Writes a page with pictures, a table of all findings, and the groups it proposes.

  python -m search.audit
  python -m search.audit data=csv data.root=/data/birds
"""

from __future__ import annotations

from search.options.audit import AuditConfig
from search.options.command_line import main


def run(config: AuditConfig) -> int:
    """Prints the findings, writes page and tables; returns the exit code."""
    from search.competition.audits import audit_contest

    return audit_contest(config)


if __name__ == "__main__":
    main(AuditConfig, run, __doc__ or "")
