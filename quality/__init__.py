"""How well the emulator de-identifies: an invented set with known identifiers, and what is left of them afterwards.

`python -m quality` prints the figures, the tests assert on the same ones.
"""
