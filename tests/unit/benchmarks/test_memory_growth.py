"""Growth of memory is read off a robust line over the second half."""

import pytest

from benchmarks.memory import growth_mb


def test_a_flat_line_with_peaks_does_not_grow() -> None:
    samples = [(n * 1000, 60.0 + (25.0 if n % 7 == 0 else 0.0)) for n in range(101)]
    assert abs(growth_mb(samples)) < 0.5


def test_a_leak_shows_through_the_noise() -> None:
    samples = [(n * 1000, 60.0 + n * 0.1 + (n * 37 % 11) * 0.2) for n in range(101)]
    assert growth_mb(samples) == pytest.approx(5.0, abs=0.7)


def test_warming_up_is_left_out() -> None:
    samples = [(n * 1000, min(n, 50) * 1.0) for n in range(101)]
    assert growth_mb(samples) == 0.0
