/* The models of the benchmarks by hand: log density and gradient in one pass over the data.
 *
 * Every function has finetti's C signature. `data` is an array of pointers to doubles; each
 * function says what they hold. Constants of the data (log factorials, counts) are precomputed,
 * as in finetti. Build: gcc -O3 -march=native -ffast-math (the C library's vector exp and log).
 */
#pragma once
#include <math.h>
#include <stddef.h>

#define HALF_LOG_2PI 0.91893853320467274178
#define LOG_2 0.69314718055994530942
#define LOG_PI 1.14472988584940017414
#define LOG_3 1.09861228866810969140
