"""Puts this folder on the path, for `exchange`, and that of the tests of foreign folders, for `layout`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "dictionaries" / "foreign")]
