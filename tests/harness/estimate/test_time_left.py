"""The time left, in simulated grids with a clock of their own."""

import heapq
from dataclasses import replace

import pytest
from made_trials import cell

from harness.estimate.time_left import TimeLeft
from harness.methods import BASELINE


class Grid:
    """Runs cells on slots by a clock that jumps from step to step, and keeps what was said to be left. The last tenth
    of a cell is its test.

    Args:
        cells: (expected seconds or None, seconds that it takes, whether it is a baseline) of each.
    """

    def __init__(self, cells, slots=2, steps=10):
        self.time, self.cells, self.said = 0.0, [], []
        for number, (_, _, baseline) in enumerate(cells):
            self.cells.append(cell(seed=number, method=BASELINE if baseline else "full"))
        expected = {one.id: said for one, (said, _, _) in zip(self.cells, cells, strict=True)}
        self.left = TimeLeft(self.cells, expected, lambda: self.time)
        self.left.slots = slots
        events, waiting = [], list(zip(self.cells, cells, strict=True))

        def start():
            one, (_, takes, baseline) = waiting.pop(0)
            self.left.started(one.id)
            for step in range(1, steps * (not baseline)):
                heapq.heappush(events, (self.time + 0.9 * takes * step / steps, one.id, step))
            heapq.heappush(events, (self.time + takes, one.id, steps))

        for _ in range(min(slots, len(waiting))):
            start()
        while events:
            self.time, name, step = heapq.heappop(events)
            if step < steps:
                self.left.step(name, step, steps)
            else:
                self.left.finished(name, True)
                if waiting:
                    start()
            self.said.append((self.time, self.left.seconds()))

    @property
    def errors(self):
        """(share of the grid's time that has passed, by how much too long or short was said, as a share of that
        time)."""
        return [(at / self.time, (said - (self.time - at)) / self.time) for at, said in self.said]

    def worst(self, begin=0.0, end=1.0):
        """The largest error in a part of the time."""
        return max(abs(error) for at, error in self.errors if begin <= at <= end)


def test_correct_estimates_give_a_correct_time_left():
    grid = Grid([(1.0, 1.0, True), (30.0, 30.0, False), (30.0, 30.0, False), (60.0, 60.0, False), (5.0, 5.0, False)])
    assert grid.worst() < 0.1


def test_baselines_do_not_correct_models():
    """Those of a second that took three, and those that were quick, at the head of a grid of long cells."""
    for took in (0.2, 3.0):
        grid = Grid([(1.0, took, True)] * 4 + [(60.0, 60.0, False)] * 4, steps=100)
        assert grid.worst() < 0.1, took
    # As many seconds a cell as those that have ended would say a few seconds.
    assert Grid([(1.0, 1.0, True)] * 4 + [(60.0, 60.0, False)] * 4).said[3][1] > 100


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_finished_cells_correct_wrong_estimates(factor):
    grid = Grid([(20.0, 20.0 * factor, False)] * 12)
    assert grid.worst(0.0, 0.05) > 0.4 and grid.worst(0.25, 0.5) < 0.3 and grid.worst(0.5, 1.0) < 0.15


def test_a_single_long_cell_is_followed_by_its_steps():
    grid = Grid([(30.0, 120.0, False)], slots=1, steps=40)
    assert grid.worst(0.0, 0.1) > 0.5 and grid.worst(0.5, 1.0) < 0.15


def test_parallel_slots_divide_the_time():
    one, four = (Grid([(10.0, 10.0, False)] * 8, slots=slots) for slots in (1, 4))
    assert one.said[0][1] > 3 * four.said[0][1]


def test_unknown_cells_are_assumed_to_be_like_those_that_ended():
    grid = Grid([(None, 40.0, False)] * 5, slots=1)
    said = {round(at): left for at, left in grid.said}
    assert said[4] is None, "before anything is known nothing is said"
    assert said[40] == pytest.approx(160.0) and said[160] == pytest.approx(40.0)
    mixed = Grid([(20.0, 20.0, False), (None, 60.0, False), (None, 60.0, False)], slots=1)
    said = {round(at): left for at, left in mixed.said}
    assert said[20] == pytest.approx(40.0) and said[80] == pytest.approx(60.0)


def test_failed_and_resumed_cells_do_not_correct_estimates():
    now, cells = [0.0], [replace(cell(), seed=number) for number in range(4)]
    left = TimeLeft(cells, {one.id: 30.0 for one in cells}, lambda: now[0])
    left.started(cells[0].id)
    now[0] = 1.0
    left.finished(cells[0].id, False)
    assert left.seconds() == pytest.approx(90.0)
    left.started(cells[1].id)
    left.resumed(cells[1].id)
    now[0] = 4.0
    left.step(cells[1].id, 90, 100)
    assert left.seconds() == pytest.approx(30.0 * 0.19 + 60.0)
    left.tested(cells[1].id, 1, 2)
    assert left.seconds() == pytest.approx(30.0 * 0.05 + 60.0)
    left.finished(cells[1].id, True)
    assert left.seconds() == pytest.approx(60.0)


def test_a_requeued_cell_is_expected_to_take_its_full_time():
    now, one = [0.0], cell()
    left = TimeLeft([one], {one.id: 30.0}, lambda: now[0])
    left.started(one.id)
    now[0] = 20.0
    assert left.seconds() == pytest.approx(10.0)
    now[0] = 300.0
    assert left.seconds() == pytest.approx(1.5), "it has not ended yet"
    left.requeued(one.id)
    assert left.seconds() == pytest.approx(30.0)
