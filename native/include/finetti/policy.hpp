// The sampler's decisions that a mutation test may break, in one place.
//
// A normal build defines none of these macros. native/tests compiles the core once per macro and shows
// that the statistical tests fail on it: a test that no mutant can fail proves nothing.
#pragma once

namespace finetti::policy {

#ifdef FINETTI_MUTATE_ACCEPT_SIGN
inline constexpr bool invert_weights = true;  // exp(+H) instead of exp(-H)
#else
inline constexpr bool invert_weights = false;
#endif

#ifdef FINETTI_MUTATE_NO_CROSS_CHECK
inline constexpr bool cross_checks = false;  // turning is judged at a tree's two ends only
#else
inline constexpr bool cross_checks = true;
#endif

#ifdef FINETTI_MUTATE_NO_WELFORD
inline constexpr bool welford = false;  // squares the deviation from the old mean
#else
inline constexpr bool welford = true;
#endif

#ifdef FINETTI_MUTATE_ONE_KICK
inline constexpr bool second_kick = false;  // symplectic Euler: neither reversible nor second order
#else
inline constexpr bool second_kick = true;
#endif

#ifdef FINETTI_MUTATE_KEEP_ADAPTING
inline constexpr bool freeze_after_warmup = false;  // the draws are no longer a Markov chain
#else
inline constexpr bool freeze_after_warmup = true;
#endif

#ifdef FINETTI_MUTATE_MOMENTUM_SCALE
inline constexpr bool momentum_matches_metric = false;  // momentum variance 1 whatever the metric
#else
inline constexpr bool momentum_matches_metric = true;
#endif

}  // namespace finetti::policy
