"""Spellings of other libraries: names and keywords only, no mathematics.

`importer` answers `import pymc` with `dialects.pymc`, for those who ask for it.
"""
