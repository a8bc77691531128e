// Special functions of doubles: pure, without global state, safe from any thread.
//
// The names and the values at poles and outside the domain are those of scipy.special.
#pragma once

#include "finetti/special/bessel.hpp"
#include "finetti/special/gamma.hpp"
#include "finetti/special/incomplete.hpp"
#include "finetti/special/incomplete_derivatives.hpp"
#include "finetti/special/normal.hpp"
#include "finetti/special/quantiles.hpp"
