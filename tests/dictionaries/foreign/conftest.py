"""What the tests of foreign folders share stands in `layout.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
