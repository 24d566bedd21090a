"""A real Ray cluster: two hosts with addresses of their own, token authentication on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.cluster import ADDRESSES, PORT, can_have_hosts, node_that_leaves, two_hosts

pytestmark = pytest.mark.skipif(
    not can_have_hosts(), reason="hosts need the right to make network namespaces"
)


def test_a_cluster(tmp_path: Path) -> None:
    """A host that leaves and comes back costs nothing; one that does not see the folder is told."""
    with two_hosts(tmp_path / "cluster") as cluster:
        row = node_that_leaves(cluster, trials=4, times=1)
        assert not row.wrong, f"{row}\n{(tmp_path / 'cluster/job.txt').read_text()}"
        runs = tmp_path / "runs"
        runs.mkdir()
        cluster.kill(1)
        cluster.start(1, hidden=str(runs))
        done = cluster.run(
            0, "python", "-m", "search.train", f"runs={runs}", "name=n", "epochs=1",
            f"cluster.address={ADDRESSES[0]}:{PORT}",
        )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"node {ADDRESSES[1]} does not see this folder" in done.stderr
    assert not (runs / "digits/n").exists()
