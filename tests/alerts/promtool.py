#!/usr/bin/env python3
"""Runs promtool over the bundled rules: promtool.py check|test FOLDER.

$PROMTOOL names another promtool than that of $PATH. Without one the test is skipped (77).
"""
import glob
import os
import shutil
import subprocess
import sys

SKIPPED = 77


def main():
    what, folder = sys.argv[1:]
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if not promtool:
        print("skipped: there is no promtool (apt-get install prometheus)")
        return SKIPPED
    tests = sorted(glob.glob(os.path.join(folder, "*_test.yml")))
    rules = sorted(set(glob.glob(os.path.join(folder, "*.yml"))) - set(tests))
    untested = [rule for rule in rules if rule.replace(".yml", "_test.yml") not in tests]
    if not rules or untested:
        print(f"rule files without a test: {untested or folder}")
        return 1
    command = {"check": ["check", "rules", *rules], "test": ["test", "rules", *tests]}[what]
    return subprocess.run([promtool, *command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
