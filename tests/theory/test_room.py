"""What holds for the whole room."""

import subprocess
import sys


def test_the_theory_room_loads_no_torch():
    code = (
        "import sys, tymbal.theory.modal, tymbal.theory.modal.picture as picture\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
