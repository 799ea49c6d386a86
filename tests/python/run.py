"""Runs every check in a process of its own and prints a table: run.py OUT"""

import glob
import importlib.metadata
import os
import subprocess
import sys

LIBRARIES = {
    "croissant": ["mlcroissant"],
    "easyr1": ["datasets", "torch"],
    "every_eval_ever": ["every_eval_ever", "pydantic"],
    "hub_results": ["huggingface_hub"],
    "imagefolder": ["datasets"],
    "lm_eval": ["lm_eval", "datasets"],
    "lm_eval_files": ["lm_eval", "datasets"],
    "lmms_eval": ["lmms_eval", "datasets"],
    "parquet": ["datasets", "pyarrow"],
    "tensorboard": ["tensorboard"],
    "sft": ["trl", "datasets"],
    "trl": ["trl", "datasets"],
    "verl": ["verl", "datasets"],
}


def version(library):
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


here, failed = os.path.dirname(os.path.abspath(__file__)), []
print("| check | libraries | outcome |\n|---|---|---|")
for path in sorted(glob.glob(os.path.join(here, "check_*.py"))):
    name = os.path.basename(path)[len("check_") : -len(".py")]
    done = subprocess.run([sys.executable, path, *sys.argv[1:]], capture_output=True, text=True)
    outcome = {0: "passed", 77: "skipped"}.get(done.returncode, "FAILED")
    print(f"| {name} | {', '.join(f'{lib} {version(lib)}' for lib in LIBRARIES[name])} | {outcome} |", flush=True)
    sys.stderr.write(f"--- {name}\n{done.stdout}{done.stderr if outcome == 'FAILED' else ''}")
    failed += [name] if outcome == "FAILED" else []
sys.exit(bool(failed))
