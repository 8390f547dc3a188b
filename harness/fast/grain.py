"""Sizes that suit the machine: to which a batch's own are rounded up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grain:
    """Sizes are rounded up to multiples of these, so that batches have few of them.

    Attributes:
        tokens: of a batch.
        width: tokens of a group's longest row.
        vector: numbers that a processor takes at once. A row of scores, one number for each token that is read, is rounded up
            to a multiple of it where more than `width` numbers would be left over: softmax and sums take those one by one.
        least: numbers of a row of scores.
    """

    tokens: int = 1
    width: int = 1
    vector: int = 1
    least: int = 1

    def read(self, longest: int) -> int:
        """The width of a row of scores over so many tokens."""
        wide = up(longest, self.width)
        return max(self.least, wide if wide % self.vector <= self.width else up(wide, self.vector))


FINE = Grain()
# 64 bytes are a vector of AVX-512, and of less on a processor without it; rows of less than one are slowest by far.
FULL = Grain(tokens=32, least=16)
# For oneDNN, which computes products in bf16: it makes a kernel for each shape, and keeps a thousand of them.
COARSE = Grain(tokens=32, width=4, vector=32, least=32)


def up(number: int, multiple: int) -> int:
    """The least multiple that is not below the number."""
    return -(-number // multiple) * multiple
