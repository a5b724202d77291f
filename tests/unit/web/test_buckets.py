"""A flood from one network is refused by the process that it reaches; everybody else goes on, and so does that network at an even pace."""

from __future__ import annotations

from idp.web.buckets import Buckets


class Time:
    """Seconds that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_what_it_holds_and_then_as_fast_as_it_refills() -> None:
    time = Time()
    buckets = Buckets([(10, 60)], time)
    assert [buckets.take("a") for _ in range(10)] == [0.0] * 10
    assert buckets.take("a") == 6.0
    assert buckets.take("b") == 0.0, "another network is not slowed down"
    time.now += 5
    assert buckets.take("a") == 1.0, "what was refused was not counted"
    time.now += 1
    assert (buckets.take("a"), buckets.take("a")) == (0.0, 6.0)
    time.now += 3600
    assert [buckets.take("a") for _ in range(11)] == [0.0] * 10 + [6.0], "it never holds more"


def test_each_of_several_rates_must_allow_it() -> None:
    time = Time()
    buckets = Buckets([(2, 1), (3, 60)], time)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 0.5]
    time.now += 1
    assert (buckets.take("a"), buckets.take("a")) == (0.0, 19.0)


def test_memory_is_bounded_and_who_called_least_recently_is_forgotten() -> None:
    buckets = Buckets([(1, 60)], Time(), most=3)
    for caller in ("a", "b", "c"):
        buckets.take(caller)
    assert buckets.take("a") > 0
    buckets.take("d")  # takes the place of b
    assert (buckets.take("a") > 0, buckets.take("c") > 0, buckets.take("b")) == (True, True, 0.0)


def test_no_rate_is_no_limit() -> None:
    assert {Buckets([]).take("a") for _ in range(3)} == {0.0}
