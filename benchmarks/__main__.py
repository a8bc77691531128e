"""``python -m benchmarks``: run everything and write ``benchmarks/RESULTS.md``."""

from benchmarks.run import main

main()
