"""The safety board: what a dictionary knows of a concept, as steps of evidence that are computed and never entered."""

from tymbal.safety.board import BOARD_FOLDER, BoardConfig, Ladder, open_board, safety_board, save_board
from tymbal.safety.concepts import ContrastConcept, read_concepts
from tymbal.safety.steps import STEPS, Step
from tymbal.safety.world import world_concepts

__all__ = [
    "BOARD_FOLDER",
    "STEPS",
    "BoardConfig",
    "ContrastConcept",
    "Ladder",
    "Step",
    "open_board",
    "read_concepts",
    "safety_board",
    "save_board",
    "world_concepts",
]
