"""Random numbers by address."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from finetti import _core

# Random123's kat_vectors for philox4x32, ten rounds: counter, key, result.
KNOWN_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter: str, key: str, expected: str) -> None:
    assert _core.philox4x32(words(counter), words(key)) == words(expected)


def test_uniforms_are_the_blocks_in_order() -> None:
    """Counter (index, draw, chain, purpose), key the seed; a block is two numbers of 53 bits."""
    seed = 0x0123456789ABCDEF
    block = _core.philox4x32([1, 9, 5, 3], [seed & 0xFFFFFFFF, seed >> 32])
    expected = [(block[0] | block[1] << 32) >> 11, (block[2] | block[3] << 32) >> 11]
    assert (_core.uniforms(seed, 5, 9, 3, 4)[2:] * 2.0**53).tolist() == expected


def test_normals_are_scipys_quantiles_of_the_same_bits() -> None:
    n = 10_001
    normals = _core.normals(42, 1, 7, 1, n)
    blocks = np.array(
        [_core.philox4x32([i, 7, 1, 1], [42, 0]) for i in range((n + 1) // 2)], dtype=np.uint64
    )
    bits = (blocks[:, [0, 2]] | blocks[:, [1, 3]] << np.uint64(32)).reshape(-1)[:n]
    u = ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    np.testing.assert_allclose(normals, stats.norm.ppf(u), rtol=1e-13, atol=1e-15)


def test_a_longer_request_begins_with_the_shorter() -> None:
    long = _core.normals(3, 0, 0, 1, 100)
    for n in (0, 1, 15, 16, 17, 99):
        assert np.array_equal(_core.normals(3, 0, 0, 1, n), long[:n])


def test_no_two_addresses_share_numbers() -> None:
    addresses = [
        (s, c, d, p) for s in (0, 1, 2**32, 2**63) for c in (0, 1) for d in (0, 1) for p in (1, 2)
    ]
    first = {_core.uniforms(*address, 1)[0] for address in addresses}
    assert len(first) == len(addresses)


@pytest.mark.parametrize("name", ["uniforms", "normals"])
def test_distribution(name: str) -> None:
    """Within a stream and across streams, four seeds; Kolmogorov-Smirnov at p > 1e-6.

    False alarm 8e-6, and 3e-5 for the correlations.
    """
    draw = getattr(_core, name)
    cdf = stats.norm.cdf if name == "normals" else stats.uniform.cdf
    for seed in range(4):
        within = draw(seed, 0, 0, 1, 200_000)
        across = np.concatenate([draw(seed, 0, d, 1, 2) for d in range(20_000)])
        for values in (within, across):
            assert stats.kstest(values, cdf).pvalue > 1e-6
        # neighbours are uncorrelated: |z| < 4.5
        centred = within - within.mean()
        assert abs(np.corrcoef(centred[:-1], centred[1:])[0, 1]) * np.sqrt(len(within)) < 4.5
