"""The formulas of backlogs against cases calculated by hand."""

from __future__ import annotations

import math

import pytest

from analytics.capacity.outage import Backlog, Phase, Throughput, backlog, seconds_until_lost

STEADY = Throughput(4_000, 4_000)


def test_an_outage_drains_at_the_spare_rate() -> None:
    """30 minutes of 1,000 a second; 3,000 a second to spare: 600 seconds."""
    assert backlog([Phase(1_000, 0)], [STEADY], held=1_800_000) == Backlog(1_800_000, 600)


def test_the_slowest_hop_decides() -> None:
    found = backlog([Phase(1_000, 0)], [STEADY, Throughput(2_000, 2_000)], held=1_800_000)
    assert found.drained_after == 1_800


def test_a_hop_without_spare_never_drains_and_holds_what_it_held() -> None:
    assert backlog([Phase(4_000, 0)], [STEADY], held=7_200_000) == Backlog(7_200_000, None)


def test_a_hop_that_is_too_slow_falls_behind_without_end() -> None:
    assert backlog([Phase(5_000, 0)], [STEADY]) == Backlog(math.inf, None)


def test_an_on_demand_stream_takes_twice_as_much_after_its_time() -> None:
    """2,000 a second for 900 s drain 900,000 of 1,800,000; then 4,000: 300 s for the rest."""
    stream = Throughput(2_000, 10_000_000, 900)
    assert backlog([Phase(1_000, 0)], [stream], held=1_800_000).drained_after == 1_200


def test_a_spike_piles_up_what_is_not_taken() -> None:
    """10,000 a second for 600 s, 4,000 taken: 3,600,000 wait; 3,000 a second drain them."""
    phases = [Phase(10_000, 600), Phase(1_000, 0)]
    assert backlog(phases, [STEADY]) == Backlog(3_600_000, 1_200)


def test_a_spike_that_scaling_absorbs_is_gone_before_it_ends() -> None:
    """3,000 of 2,000 for 900 s: 900,000; then 4,000 are taken, and 900 s later all is gone."""
    scales = Throughput(2_000, 100_000, 900)
    phases = [Phase(3_000, 3_600), Phase(1_000, 0)]
    assert backlog(phases, [scales]) == Backlog(900_000, 0)


def test_no_backlog_is_gone_at_once() -> None:
    assert backlog([Phase(1_000, 0)], [STEADY]) == Backlog(0, 0)


def test_a_hop_stops_scaling_at_its_limit() -> None:
    hop = Throughput(1_000, 3_000, 60)
    assert [hop.after(seconds) for seconds in (0, 59, 60, 120, 6_000)] == [
        1_000,
        1_000,
        2_000,
        3_000,
        3_000,
    ]
    assert hop.next_change(0) == 60
    assert hop.next_change(61) == 120
    assert hop.next_change(120) == math.inf


def test_changes_expire_when_the_lag_is_as_long_as_they_are_kept() -> None:
    """Half as fast as needed: half a second behind every second."""
    assert seconds_until_lost(rate=2_000, takes=1_000, keeps=86_400) == 172_800
    assert seconds_until_lost(rate=2_000, takes=1_000, keeps=86_400, outage=1_800) == 169_200
    assert seconds_until_lost(rate=1_000, takes=1_000, keeps=86_400) is None


@pytest.mark.parametrize("held", [0.0, 12.5, 1e6])
@pytest.mark.parametrize("rate", [1.0, 999.0, 3_999.0])
def test_the_time_is_the_backlog_by_the_spare_rate(held: float, rate: float) -> None:
    found = backlog([Phase(rate, 0)], [STEADY], held)
    assert found.drained_after == pytest.approx(held / (4_000 - rate))
