"""Counts the words of all texts in a folder: one task for each file, run by whoever is free.

    python3 wordcount.py FOLDER [tcp://HOST:PORT]

The server needs nothing but its built-in kind `wordcount`. Stop the server while it runs, start
it again: every file is counted once.
"""

import os
import sys

try:
    import tareas
except ImportError:  # From a clone, without installing.
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../clients/python/src"))
    import tareas

AT_ONCE = 1000


def texts_in(folder):
    """Every file that is text, with its name."""
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(place, name)
            try:
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, folder), file.read()
            except (OSError, UnicodeDecodeError) as error:
                print(f"left out: {path}: {error}", file=sys.stderr)


def counted(client, texts):
    """Fans the texts out, so many at a time, and gathers what comes back."""
    while True:
        some = [text for text, _ in zip(texts, range(AT_ONCE))]
        if not some:
            return
        tasks = client.submit_many(("wordcount", text) for _, text in some)
        for (name, _), task in zip(some, tasks):
            yield name, task.result()["words"]


def main():
    folder = sys.argv[1]
    server = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:5000"
    with tareas.Client(server) as client:
        words = dict(counted(client, texts_in(folder)))
    for name in sorted(words, key=lambda name: (-words[name], name))[:10]:
        print(f"{words[name]:>10}  {name}")
    print(f"{sum(words.values()):>10}  in {len(words)} files")


if __name__ == "__main__":
    main()
