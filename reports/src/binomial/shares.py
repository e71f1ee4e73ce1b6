#!/usr/bin/env python3
"""Prints the table of `shares_are_those_of_a_computation_with_sixty_digits`: needs mpmath."""

import mpmath as mp

mp.mp.dps = 60
TAIL = mp.mpf("0.025")
COUNTS = [
    (1, 2), (1, 10), (3, 10), (9, 10), (50, 100), (1, 10**6), (5, 7_500_000),
    (7_499_999, 7_500_000), (12_350_000, 10**8), (1, 10**9), (5 * 10**8, 10**9),
    (10**9 - 1, 10**9), (1, 2**53), (123_456_789, 2**53), (2**52, 2**53), (2**53 - 1, 2**53),
]


def shares(k, n):
    """The p and 1 - p under which k or more of n have the probability TAIL."""
    constant = mp.log(k) + mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
    density = lambda x: constant + k * x - (n + 1) * mp.log1p(mp.exp(x))
    x = mp.log(mp.mpf(k) / (n - k + 1)) - 2 / mp.sqrt(k)
    while True:
        slope = k - (n + 1) / (1 + mp.exp(-x))
        fall = lambda y: mp.exp(density(x - y / slope) - density(x))
        reach = mp.quad(fall, [0, 1, 2, 4, 8, 16, 32, 64, 150]) / slope
        step = (mp.log(TAIL) - density(x) - mp.log(reach)) * reach
        x += step
        if abs(step) < mp.mpf(10) ** -30:
            return 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))


for k, n in COUNTS:
    p, q = shares(k, n)
    if n <= 100:
        assert abs(mp.betainc(k, n - k + 1, 0, p, regularized=True) - TAIL) < mp.mpf(10) ** -25
    print(f"({k}, {n}, {mp.nstr(p, 17)}, {mp.nstr(q, 17)}),")
