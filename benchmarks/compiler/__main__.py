"""``python -m benchmarks.compiler``: see ``run``."""

from benchmarks.compiler.run import main

main()
