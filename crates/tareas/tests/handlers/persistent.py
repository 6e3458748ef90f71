"""A command that stays: does what the payload of each task says."""

import json
import sys
import time


def say(answer):
    print(json.dumps(answer), flush=True)


for line in sys.stdin:
    task = json.loads(line)
    asked, is_first = task["payload"], task["attempt"] == 1
    does = asked["do"]
    if does == "fail" or (does == "again" and is_first):
        say({"error": {"message": "broken"}})
    elif does == "reject":
        say({"error": {"message": "wrong", "retryable": False}})
    elif does == "later" and is_first:
        say({"error": {"message": "busy", "retry_after_ms": 1000}})
    else:
        if does == "chat":
            say({"progress": 50, "message": "half"})
            say({"log": "hello"})
            say({"output": "so far"})
        if does in ("hang", "wait", "chat"):
            time.sleep(60)
        if does == "talk":
            say({"progress": 50, "message": "half"})
            say({"log": "hello"})
        say({"result": asked["value"]})
