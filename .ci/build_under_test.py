"""Make the environment with the PyTorch under test, unless EQUIVALENCE_PYTHON already names another interpreter."""

import os
import subprocess
import sys

if os.environ.get("EQUIVALENCE_PYTHON") == sys.argv[1]:
    sys.exit(subprocess.call([sys.executable, "-m", "tox", "run", "-qq", "-e", "build", "--notest"]))
