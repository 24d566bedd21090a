"""A real Ray cluster: two hosts with addresses of their own, token authentication on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.cluster import ADDRESSES, PORT, can_have_hosts, node_that_leaves, two_hosts

pytestmark = pytest.mark.skipif(
    not can_have_hosts(), reason="hosts need the right to make network namespaces"
)


@pytest.mark.slow
def test_a_host_that_does_not_see_the_folder_is_told(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    with two_hosts(tmp_path / "cluster", hidden=str(runs)) as cluster:
        done = cluster.run(
            0, "python", "-m", "search.train", f"runs={runs}", "name=n", "epochs=1",
            f"cluster.address={ADDRESSES[0]}:{PORT}",
        )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"node {ADDRESSES[1]} does not see this folder" in done.stderr
    assert not (runs / "digits/n").exists()


@pytest.mark.slow
def test_a_host_that_leaves_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    with two_hosts(tmp_path / "cluster") as cluster:
        row = node_that_leaves(cluster, trials=4, times=1, epochs=12)
        assert not row.wrong, f"{row}\n{(tmp_path / 'cluster/job.txt').read_text()}"
