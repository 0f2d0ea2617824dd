"""The names of tensor axes, for jaxtyping annotations such as `Float[Tensor, "batch token width"]`.

batch       passages in one forward pass
token       positions of a passage, padding included
width       the model's residual width (units of one activation)
vocabulary  the tokenizer's entries
row         tokens taken out of their passages, in any order
feature     features of a dictionary
slot        places for active features of one row (k for TopK); an empty slot has value 0
bin         bins of a histogram
target      classes of a concept, or coordinates of a real-valued one
rank        directions that an edit removes or keeps
game        games of Othello; ply: their moves; state: the boards before each move and after the last
square      squares of a board, row by row; content: what one can hold
case        positions with one disc to turn

Annotations are checked at run time in the tests only (`tests/conftest.py`). Files that are checked do not use
`from __future__ import annotations`, which would hide the shapes.
"""
