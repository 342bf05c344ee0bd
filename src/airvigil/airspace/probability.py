"""The probability that the true place lies inside a volume, exact for polygons.

The position error is a two-dimensional normal with any covariance. Whitening (x -> L^-1 x with
C = L L^T) makes it circular; then in polar coordinates around the reported place

    P = 1{inside} - sum over edges of (1 / 2 pi) * integral of exp(-r(theta)^2 / 2) d theta,

where each edge's integral over the angle that it subtends is a difference of two values of Owen's
T function, signed by the side on which the place lies. No quadrature over the area and no
assumption that the boundary is straight: Phi(d / sigma) is the special case of one long edge.
Edges further than 6 sigma contribute less than exp(-18) = 1.5e-8 together and are left out.
An artificial cut is run through twice in opposite directions and cancels.

Everything here is scalar arithmetic inside Numba kernels: a result depends on nothing but its
own arguments, not on how many others are computed with it.

References: D. B. Owen, Annals of Mathematical Statistics 27 (1956) 1075-1090 (T function and its
identities 2.1 to 2.4); A. R. DiDonato and R. K. Hageman, SIAM J. Sci. Stat. Comput. 3 (1982) 434-446
(the normal integral over a polygon as a sum over edges).
"""

from __future__ import annotations

import math

from numba import njit

REACH_SIGMAS = 6.0  # edges beyond are left out: exp(-6^2 / 2) = 1.5e-8
MIN_SIGMA_M = 1e-3  # a covariance is never taken to be better than a millimetre
DUST = 1e-7  # how far outside [0, 1] rounding and left-out edges can take P

INV_SQRT2 = 0.7071067811865476  # 1 / sqrt(2)
INV_TWO_PI = 0.15915494309189535  # 1 / (2 pi)

# Gauss-Legendre on [0, 1], 10 points (Abramowitz and Stegun, table 25.4, shifted): abscissa, weight
_X0, _W0 = 0.013046735741414128, 0.03333567215434407
_X1, _W1 = 0.06746831665550773, 0.07472567457529031
_X2, _W2 = 0.16029521585048778, 0.10954318125799102
_X3, _W3 = 0.2833023029353764, 0.13463335965499817
_X4, _W4 = 0.4255628305091844, 0.14776211235737644
GAUSS_X = (_X0, _X1, _X2, _X3, _X4, 1.0 - _X4, 1.0 - _X3, 1.0 - _X2, 1.0 - _X1, 1.0 - _X0)
GAUSS_W = (_W0, _W1, _W2, _W3, _W4, _W4, _W3, _W2, _W1, _W0)

# Gauss-Legendre on [0, 1], 3 points
_HALF_SPAN = 0.3872983346207417  # sqrt(0.6) / 2
SHORT_X = (0.5 - _HALF_SPAN, 0.5, 0.5 + _HALF_SPAN)
SHORT_W = (5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0)
SHORT_EDGE_RATIO = 0.1  # an edge this much shorter than its distance is smooth enough for 3 points


@njit(cache=True, nogil=True)
def normal_cdf(x: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x * INV_SQRT2)


@njit(cache=True, nogil=True)
def owen_t(h: float, a: float) -> float:
    """Owen's T(h, a), to 1e-10.

    For |a| > 1 by identity 2.3: T(h, a) + T(ah, 1/a) = (Q(h) + Q(ah)) / 2 - Q(h) Q(ah), Q = 1 - Phi.
    """
    sign = 1.0
    if a < 0.0:
        sign, a = -1.0, -a
    h = abs(h)
    reach, slope = h, a
    if a > 1.0:
        reach, slope = a * h, 1.0 / a
    total = 0.0
    for k in range(10):
        x = slope * GAUSS_X[k]
        q = 1.0 + x * x
        total += GAUSS_W[k] * math.exp(-0.5 * reach * reach * q) / q
    total *= slope * INV_TWO_PI
    if a > 1.0:
        q_near, q_far = normal_cdf(-h), normal_cdf(-reach)
        total = 0.5 * (q_near + q_far) - q_near * q_far - total
    return sign * total


@njit(cache=True, nogil=True)
def edge_term(ax: float, ay: float, bx: float, by: float) -> float:
    """What the edge from a to b takes away from 1{inside}; whitened coordinates around the place.

    Positive where the edge is passed counter-clockwise as seen from the place.
    """
    dx, dy = bx - ax, by - ay
    length = math.sqrt(dx * dx + dy * dy)
    if length <= 0.0:
        return 0.0
    dx /= length
    dy /= length
    side = ax * dy - ay * dx
    distance = abs(side)
    ta, tb = ax * dx + ay * dy, bx * dx + by * dy
    gap = ta if ta > 0.0 else (-tb if tb < 0.0 else 0.0)
    nearest2 = distance * distance + gap * gap
    if nearest2 > REACH_SIGMAS * REACH_SIGMAS:
        return 0.0
    if length * length < SHORT_EDGE_RATIO * SHORT_EDGE_RATIO * nearest2 and length < 0.5:
        total = 0.0
        for k in range(3):
            t = ta + SHORT_X[k] * length
            r2 = distance * distance + t * t
            total += SHORT_W[k] * math.exp(-0.5 * r2) / r2
        return total * length * side * INV_TWO_PI
    if distance < 1e-12:
        distance = 1e-12
    total = owen_t(distance, tb / distance) - owen_t(distance, ta / distance)
    return total if side >= 0.0 else -total


@njit(cache=True, nogil=True)
def whitening(ee: float, en: float, nn: float) -> tuple[float, float, float]:
    """Inverse lower Cholesky factor (1/l11, l21, 1/l22) of a covariance, floored at a millimetre."""
    floor = MIN_SIGMA_M * MIN_SIGMA_M
    l11 = math.sqrt(max(ee, floor))
    l21 = en / l11
    l22 = math.sqrt(max(nn - l21 * l21, floor))
    return 1.0 / l11, l21, 1.0 / l22


@njit(cache=True, nogil=True)
def largest_sigma_m(ee: float, en: float, nn: float) -> float:
    """Square root of the covariance's larger eigenvalue."""
    half = 0.5 * (ee - nn)
    return math.sqrt(max(0.5 * (ee + nn) + math.sqrt(half * half + en * en), 0.0))


@njit(cache=True, nogil=True)
def settle(p: float, p_other_side: float, margin_m: float, tolerance: float) -> float:
    """P as a probability, or NaN where the boundary is defective.

    Within a millimetre of the boundary rounding may put the place on the wrong side, which shifts
    P by exactly one: then the other side's value is the one that lies in [0, 1].
    """
    if -tolerance <= p <= 1.0 + tolerance:
        return min(1.0, max(0.0, p))
    if abs(margin_m) < 1e-3 and -tolerance <= p_other_side <= 1.0 + tolerance:
        return min(1.0, max(0.0, p_other_side))
    return math.nan
