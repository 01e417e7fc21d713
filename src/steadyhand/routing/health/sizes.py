"""Classes of requests and answers whose latencies may be compared: doublings of size. Pure.

First content costs about ``a + b * input`` and a whole answer about ``first + c * output``. Neither
line is fitted: within one doubling the size changes latency by less than two, each class learns its
own level, and a class that nobody has asked yet says so where a line would extrapolate
(``docs/decisions/0032-latency-is-compared-within-size-classes.md``).
"""

from typing import Final

_SMALLEST_INPUT_BITS: Final = 9  # up to 512 bytes is one class: there the constant part rules
_LARGEST_INPUT: Final = 12  # from 1 MiB on
_LARGEST_OUTPUT: Final = 12  # from 16,384 tokens on
_SMALLEST_OUTPUT_BITS: Final = 3
_OUTPUTS: Final = 16

WHOLE: Final = 1 << 8
"""Added to the input class of what is not a stream: first content and whole never compare."""

ANSWERED: Final = 1 << 9
"""Marks a class by input *and* output size, known only when an answer has ended."""

PACE: Final = 1 << 10
"""Class of seconds per output token in streams."""


def input_class(input_bytes: int) -> int:
    """Return the class of a request body of ``input_bytes``: 0 to 12, doubling."""
    return min((input_bytes >> _SMALLEST_INPUT_BITS).bit_length(), _LARGEST_INPUT)


def answered_class(input_bytes: int, output_tokens: int) -> int:
    """Return the class of a whole answer: its output by doublings, its input by 16-folds."""
    output = min((output_tokens >> _SMALLEST_OUTPUT_BITS).bit_length(), _LARGEST_OUTPUT)
    return ANSWERED + (input_class(input_bytes) >> 2) * _OUTPUTS + output
