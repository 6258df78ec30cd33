"""How long something took, for people."""

import pytest

from dayslice.rules.moments import duration

HOUR = 3600


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.42, "0.4 s"),
        (12, "12 s"),
        (180, "3 min"),
        (2.5 * HOUR, "2.5 h"),
        (71 * HOUR, "71.0 h"),
        (96 * HOUR, "4 days"),
        (12.9 * 365.25 * 24 * HOUR, "12.9 years"),
    ],
)
def test_a_duration_is_said_in_what_fits_it(seconds, said):
    assert duration(seconds) == said
