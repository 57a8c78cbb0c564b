from datetime import UTC, datetime, timedelta, timezone

from headrace_runtime.access.rate_windows import Window, windows

NOW = datetime(2026, 11, 23, 22, 30, 0, 250_000, tzinfo=UTC)
SECOND = 1_795_473_000


def test_a_key_without_limits_is_counted_nowhere():
    assert windows(NOW) == []


def test_a_rate_is_counted_by_the_second_and_a_quota_by_the_day():
    assert windows(NOW, rate_per_s=5, daily_quota=100) == [
        Window(5, f"S#{SECOND}", "RATE_EXCEEDED", 1, SECOND + 1 + 3600),
        Window(100, "D#2026-11-23", "QUOTA_EXCEEDED", 5400, SECOND + 5400 + 3600),
    ]


def test_a_wait_is_rounded_up_to_the_end_of_the_day():
    almost = NOW.replace(hour=23, minute=59, second=59, microsecond=999_999)

    assert windows(almost, daily_quota=1)[0].retry_after_s == 1
    assert windows(almost + timedelta(microseconds=1), daily_quota=1)[0].retry_after_s == 86_400


def test_a_day_is_the_same_wherever_the_clock_stands():
    there = NOW.astimezone(timezone(timedelta(hours=9)))

    assert windows(there, daily_quota=1) == windows(NOW, daily_quota=1)
