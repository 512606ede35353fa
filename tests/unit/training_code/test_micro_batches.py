from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from training_code.containers.micro_batches import MICRO_BATCH, WIDTH_STEP, Logits, MicroBatches
from training_code.containers.ragged import Ids, Ragged, RaggedIds

SHORT = np.array([1, 2], dtype=np.int32)
LONG = np.full(40, 3, dtype=np.int32)


class CountingModel:
    """Logits are the sum, the length and the largest of a row's ids; remembers the shapes it saw."""

    def __init__(self, wait: Callable[[], object] = lambda: None) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.at_once = 0
        self.most_at_once = 0
        self._wait = wait

    def __call__(self, input_ids: Ids, attention_mask: Ids) -> Logits:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.shapes.append(input_ids.shape)
        self._wait()
        self.at_once -= 1
        seen = input_ids * attention_mask
        return np.stack([seen.sum(axis=1), attention_mask.sum(axis=1), seen.max(axis=1)], axis=1).astype(np.float32)


def expected(rows: list[RaggedIds]) -> Logits:
    return np.array([[row.sum(), len(row), row.max()] for row in rows], dtype=np.float32)


def random_rows(count: int, seed: int) -> list[RaggedIds]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 60, size=count)
    return [generator.integers(0, 900, size=length).astype(np.int32) for length in lengths]


def test_rows_are_cut_into_batches_of_like_length_and_put_back_in_order() -> None:
    model, rows = CountingModel(), random_rows(21, seed=1)
    np.testing.assert_array_equal(MicroBatches(model, pad_id=7).logits(rows), expected(rows))
    longest = np.sort([len(row) for row in rows])[[7, 15, 20]]
    assert [count for count, _ in model.shapes] == [8, 8, 5]
    assert [width for _, width in model.shapes] == list(longest + -longest % WIDTH_STEP)


def test_no_rows_ask_no_model() -> None:
    model = CountingModel()
    assert MicroBatches(model, pad_id=0).logits([]).shape == (0, 3)
    assert model.shapes == []


def test_many_threads_get_their_own_answers_and_the_model_runs_once_at_a_time() -> None:
    model = CountingModel()
    batches = MicroBatches(model, pad_id=0)
    requests = [random_rows(count, seed) for seed, count in enumerate([1, 30, 2, 9, 1, 1, 17, 4] * 8)]
    with ThreadPoolExecutor(16) as pool:
        for rows, answer in zip(requests, pool.map(batches.logits, requests), strict=True):
            np.testing.assert_array_equal(answer, expected(rows))
    assert model.most_at_once == 1


def ask_while_busy(requests: list[list[RaggedIds]]) -> CountingModel:
    """All requests are waiting while the model is busy with another one, which is the first of its shapes."""
    is_running, may_go_on = threading.Event(), threading.Event()

    def wait() -> None:
        is_running.set()
        assert may_go_on.wait(10)

    model = CountingModel(wait)
    batches = MicroBatches(model, pad_id=0)
    with ThreadPoolExecutor(len(requests) + 1) as pool:
        first = pool.submit(batches.logits, [LONG])
        assert is_running.wait(10)
        waiting = []
        for rows in requests:
            waiting.append(pool.submit(batches.logits, rows))
            while len(batches._waiting) < len(waiting):
                threading.Event().wait(0.001)
        may_go_on.set()
        for rows, answer in zip([[LONG], *requests], [first, *waiting], strict=True):
            np.testing.assert_array_equal(answer.result(10), expected(rows))
    return model


def test_requests_that_wait_together_share_a_batch_where_they_are_about_equally_long() -> None:
    model = ask_while_busy([[SHORT], [SHORT], [LONG], [SHORT]])
    assert model.shapes[1:] == [(3, 8), (1, 40)]


def test_a_large_request_does_not_hold_up_a_small_one() -> None:
    model = ask_while_busy([[LONG] * 10 * MICRO_BATCH, [SHORT]])
    assert model.shapes.index((1, 8)) == 2


def test_a_failing_batch_fails_its_requests_alone_and_the_next_is_answered() -> None:
    class Failing(CountingModel):
        def __call__(self, input_ids: Ids, attention_mask: Ids) -> Logits:
            if input_ids.max() == 999:
                raise MemoryError
            return super().__call__(input_ids, attention_mask)

    batches = MicroBatches(Failing(), pad_id=0)
    bad = [*random_rows(20, seed=3), np.array([999], dtype=np.int32)]
    with pytest.raises(MemoryError):
        batches.logits(bad)
    np.testing.assert_array_equal(batches.logits([SHORT]), expected([SHORT]))


@pytest.mark.parametrize(("ids", "lengths"), [([1], [2]), ([1, 2], [1]), ([], [0]), ([1], [2, -1])])
def test_ragged_rows_must_add_up(ids: list[int], lengths: list[int]) -> None:
    with pytest.raises(ValueError, match=r"row|lengths"):
        Ragged(ids=np.array(ids, dtype=np.int32), lengths=np.array(lengths, dtype=np.int32))


def test_ragged_rows_come_back_as_they_went_in() -> None:
    rows = [[1, 2, 3], [4], [5, 6]]
    assert [row.tolist() for row in Ragged.of(rows).rows()] == rows
    assert Ragged.of(rows).starts.tolist() == [0, 3, 4]
    assert Ragged.of([]).rows() == []
