"""A command for each task: does what its payload says."""

import json
import os
import sys
import time

asked = json.load(sys.stdin)
does, is_first = asked["do"], os.environ["TAREAS_ATTEMPT"] == "1"
if does == "fail" or (does == "again" and is_first):
    sys.exit("broken")
if does == "reject":
    print("wrong", file=sys.stderr)
    sys.exit(65)
if does == "later" and is_first:
    os.write(3, b"retry_after 1\n")
    sys.exit(75)
if does == "chat":
    os.write(3, b"progress 50 half\n")
    print("hello", file=sys.stderr, flush=True)
    print("so far", flush=True)
if does in ("hang", "wait", "chat"):
    time.sleep(60)
if does == "talk":
    os.write(3, b"progress 50 half\n")
    print("hello", file=sys.stderr)
json.dump(asked["value"], sys.stdout)
