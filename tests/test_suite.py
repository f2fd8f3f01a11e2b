"""What the suite itself depends on."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs workers: make test")
@pytest.mark.xdist_group("kept-together")
def test_tests_that_share_a_stack_are_kept_in_one_worker(request: pytest.FixtureRequest) -> None:
    # xdist hands a group on in the test's id; pytest 9.2 with xdist 3.8 lost it without a word.
    assert request.node.nodeid.endswith("@kept-together")
