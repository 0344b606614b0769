import math

import pytest

from attention import wording


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_999, "1 MB"),
        (67_108_864, "67.1 MB"),
        (4e12, "4 TB"),
        (4e15, "4,000 TB"),
    ],
)
def test_sizes_for_people(size, text):
    assert wording.human_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3.16e-5, "31.6 µs"),
        (9.999e-4, "1 ms"),
        (0.2, "200 ms"),
        (1.0, "1 s"),
        (60, "60 s"),
        (2600, "43.3 minutes"),
        (5400, "1.5 hours"),
        (172_800, "2 days"),
        (86_400 * 365, "365 days"),
        (86_400 * 365.25 * 1000 * math.pi, "3,142 years"),
    ],
)
def test_durations_for_people(seconds, text):
    assert wording.human_seconds(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(3, "3"), (1500, "1.5 thousand"), (8.03e9, "8.03 billion"), (2e16, "20,000 trillion")],
)
def test_counts_for_people(number, text):
    assert wording.human_count(number) == text
