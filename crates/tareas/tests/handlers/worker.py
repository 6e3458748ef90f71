"""A worker in Python: does what the payload of each task says."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../clients/python/src"))

import tareas  # noqa: E402

app = tareas.Worker(sys.argv[1], name="w", threads=4)


@app.task("python")
def handle(context, asked):
    does, is_first = asked["do"], context.attempt == 1
    if does == "fail" or (does == "again" and is_first):
        raise RuntimeError("broken")
    if does == "reject":
        raise tareas.Rejected("wrong")
    if does == "later" and is_first:
        raise tareas.Retry("busy", after=1)
    if does == "chat":
        context.progress(50, "half")
        context.log("hello")
        context.output("so far")
    if does in ("hang", "wait", "chat"):
        context.sleep(60)
    if does == "talk":
        context.progress(50, "half")
        context.log("hello")
    return asked["value"]


app.run()
