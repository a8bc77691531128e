"""``python -m benchmarks.numpyro``: run everything and write ``benchmarks/NUMPYRO.md``."""

from benchmarks.numpyro.run import main

main()
