#!/usr/bin/env python3
"""Records what a real server answers to the SQL of its version: record_answers.py MAJOR DSN > answers_MAJOR.txt

The SQL is read from sql_by_version.txt. Settings are left at a few, so that the page stays readable.
"""
import os
import re
import subprocess
import sys

major, dsn = int(sys.argv[1]), sys.argv[2]
here = os.path.dirname(os.path.abspath(__file__))
for line in open(os.path.join(here, "sql_by_version.txt")):
    match = re.match(r"  (\d+)-(\d+): (SELECT .*)", line)
    if not match or not int(match[1]) <= major <= int(match[2]):
        continue
    sql = match[3]
    asked = sql + " AND name IN ('max_connections', 'shared_buffers', 'fsync', 'work_mem', 'deadlock_timeout')" if "FROM pg_settings WHERE vartype" in sql else sql
    done = subprocess.run(["psql", "-X", "-q", "-A", "-F", "\t", "-P", "null=\\N", "-P", "footer=off", "-d", dsn, "-c", asked],
                          capture_output=True, text=True)
    if done.returncode == 0:
        print("--- " + sql)
        print(done.stdout.rstrip("\n"))
