"""The package against a real server: TAREAS_BIN names the program."""

import asyncio
import os
import socket
import subprocess
import sys
import shutil
import tempfile
import threading
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "src"))

import tareas  # noqa: E402

BIN = os.environ.get("TAREAS_BIN", "tareas")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    def __init__(self, threads: int = 1, *arguments: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.arguments = arguments
        self.port, self.threads = free_port(), threads
        self.url = f"tcp://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        arguments = ["serve", "--bind", f"127.0.0.1:{self.port}", "--data", self.folder.name + "/data"]
        arguments += ["--threads", str(self.threads), *self.arguments]
        self.process = subprocess.Popen([BIN, *arguments], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("the server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        self.folder.cleanup()


class WithServer(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server(threads=1)
        self.addCleanup(self.server.close)

    def client(self) -> tareas.Client:
        client = tareas.Client(self.server.url)
        self.addCleanup(client.close)
        return client

    def worker(self, **options: object) -> tareas.Worker:
        app = tareas.Worker(self.server.url, **options)  # type: ignore[arg-type]
        self.addCleanup(app.stop)
        return app


class Clients(WithServer):
    def test_a_result_comes_back(self) -> None:
        self.assertEqual(self.client().submit("square", n=5).result(10), 25)
        self.assertEqual(self.client().submit("echo", {"a": ["ñ", None]}).result(10), {"a": ["ñ", None]})

    def test_many_at_once(self) -> None:
        results = self.client().map("square", [{"n": n} for n in range(3000)], 60)
        self.assertEqual(results, [n * n for n in range(3000)])

    def test_errors_have_codes(self) -> None:
        client = self.client()
        with self.assertRaises(tareas.Refused) as refused:
            client.submit("squar", n=5)
        self.assertEqual((refused.exception.code, refused.exception.name), ("TAR-1204", "unknown_kind"))
        with self.assertRaises(tareas.TaskFailed) as failed:
            client.submit("dividir", "1 0").result(10)
        self.assertEqual(failed.exception.reason, "rejected")

    def test_cancel_and_waiting(self) -> None:
        client = self.client()
        task = client.submit("sleep", ms=60_000)
        with self.assertRaises(tareas.TimedOut):
            task.result(0.1)
        task.cancel()
        with self.assertRaises(tareas.TaskCancelled):
            task.result(10)
        self.assertEqual(client.wait(client.submit("square", n=3).id, 10), 9)

    def test_a_restart_of_the_server_loses_and_doubles_nothing(self) -> None:
        client = self.client()
        task = client.submit("sleep", ms=500)
        self.server.kill()
        self.server.start()
        self.assertEqual(task.result(30), 500)
        self.assertEqual(client.submit("square", n=4).result(30), 16)

    def test_asyncio(self) -> None:
        async def go() -> list:
            async with tareas.AsyncClient(self.server.url) as client:
                tasks = [await client.submit("square", n=n) for n in range(10)]
                return list(await asyncio.gather(*(task.result(10) for task in tasks)))

        self.assertEqual(asyncio.run(go()), [n * n for n in range(10)])

    def test_ids_are_version_seven_and_in_order(self) -> None:
        ids = [tareas.uuid7() for _ in range(5000)]
        self.assertEqual(len(set(ids)), 5000)
        self.assertEqual(ids, sorted(ids))
        self.assertTrue(all(uuid.UUID(one).variant == uuid.RFC_4122 and one[14] == "7" for one in ids))


class Access(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server(0, "--access")
        self.addCleanup(self.server.close)
        with open(self.server.folder.name + "/data/admin-token", encoding="utf-8") as file:
            self.token = file.read()

    def test_a_token_is_shown_by_clients_and_workers(self) -> None:
        with tareas.Client(self.server.url, token=self.token) as client:
            app = tareas.Worker(self.server.url, token=self.token)
            self.addCleanup(app.stop)

            @app.task("py_double")
            def double(payload: int) -> int:
                return payload * 2

            app.start()
            self.assertTrue(app.wait_connected())
            self.assertEqual(client.submit("py_double", 21).result(timeout=20), 42)

    def test_a_stranger_is_told_that_a_token_is_needed(self) -> None:
        with tareas.Client(self.server.url) as client:
            with self.assertRaises(tareas.Refused) as refused:
                client.submit("square", n=5)
        self.assertEqual(refused.exception.code, "TAR-1101")


@unittest.skipUnless(shutil.which("openssl"), "there is no openssl")
class Tls(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.ca = certificate(folder.name)
        self.server = Server(1, "--access", "--tls-cert", self.ca, "--tls-key", folder.name + "/key.pem")
        self.addCleanup(self.server.close)
        with open(self.server.folder.name + "/data/admin-token", encoding="utf-8") as file:
            self.token = file.read()
        self.url = f"tls://localhost:{self.server.port}"

    def test_everything_is_said_through_tls(self) -> None:
        with tareas.Client(self.url, token=self.token, ca=self.ca) as client:
            app = tareas.Worker(self.url, token=self.token, ca=self.ca)
            self.addCleanup(app.stop)

            @app.task("py_double")
            def double(payload: str) -> str:
                return payload * 2

            app.start()
            self.assertTrue(app.wait_connected())
            self.assertEqual(client.submit("py_double", "ñ").result(20), "ññ")
            self.assertEqual(client.map("square", [{"n": n} for n in range(2_000)], 60)[-1], 1_999**2)
            # Too long for a line: over HTTP.
            self.assertEqual(len(client.submit("text", bytes=400_000).result(20)), 400_000)

    def test_a_server_that_nobody_vouches_for_is_not_spoken_to(self) -> None:
        with self.assertRaises(tareas.ConnectionLost):
            tareas.Client(self.url, token=self.token)
        # The certificate is for another name.
        with self.assertRaises(tareas.ConnectionLost):
            tareas.Client(f"tls://127.0.0.1:{self.server.port}", token=self.token, ca=self.ca)


def certificate(folder: str) -> str:
    """A certificate of localhost, which vouches for itself; its key is beside it."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made += ["-keyout", folder + "/key.pem", "-out", folder + "/cert.pem"]
    subprocess.run(made, check=True, stderr=subprocess.DEVNULL)
    return folder + "/cert.pem"


class Workers(WithServer):
    def test_handlers_run_report_and_fail(self) -> None:
        app = self.worker(threads=2)
        seen = []

        @app.task("py_add")
        def add(payload: dict) -> int:
            return payload["a"] + payload["b"]

        @app.task
        def py_context(context: tareas.Context, payload: object) -> object:
            context.progress(50, "half")
            context.log("hello")
            return {"attempt": context.attempt, "queue": context.queue}

        @app.task("py_again")
        def again(context: tareas.Context, payload: object) -> str:
            seen.append(context.attempt)
            if len(seen) < 2:
                raise tareas.Retry("not yet", after=0.1)
            return "done"

        @app.task("py_wrong")
        def wrong(payload: object) -> None:
            raise tareas.Rejected("never")

        @app.task("py_big")
        def big(payload: int) -> str:
            return "ñ" * payload

        app.start()
        self.assertTrue(app.wait_connected())
        client = self.client()
        self.assertEqual(client.submit("py_add", a=2, b=3).result(10), 5)
        self.assertEqual(client.submit("py_context", 1).result(10), {"attempt": 1, "queue": "default"})
        self.assertEqual(client.submit("py_again", 1).result(20), "done")
        with self.assertRaises(tareas.TaskFailed) as failed:
            client.submit("py_wrong", 1).result(10)
        self.assertIn("never", failed.exception.message)
        self.assertEqual(client.submit("py_big", 700_000).result(20), "ñ" * 700_000)

    def test_what_a_handler_says_is_followed_live_and_its_files_are_kept(self) -> None:
        app = self.worker()
        go_on = threading.Event()

        @app.task("py_talk")
        def talk(context: tareas.Context, payload: object) -> str:
            context.log("hello")
            context.output("so ")
            context.progress(50, "half")
            go_on.wait(30)
            context.output("far")
            context.attach("a.csv", "a,b\n")
            context.attach("zeros", bytes(300_000))
            return "so far"

        app.start()
        app.wait_connected()
        client = self.client()
        task = client.submit("py_talk", 1)
        said = []
        for event in task.follow():
            said.append((event["event"], event.get("text", event.get("message", event.get("status")))))
            if {"log", "output", "progress"} <= {name for name, _ in said}:
                go_on.set()
        self.assertEqual(said[-1], ("end", "succeeded"))
        self.assertEqual("".join(text for name, text in said if name == "output"), "so far")
        self.assertIn(("log", "hello"), said)
        self.assertIn(("progress", "half"), said)
        self.assertEqual(client.logs(task.id)[0]["lines"], ["hello"])
        files = client.fetch(f"/v1/tasks/{task.id}/artifacts")["artifacts"]
        self.assertEqual([(one["name"], one["type"], one["bytes"]) for one in files], [("a.csv", "text/csv", 4), ("zeros", "application/octet-stream", 300_000)])
        with self.assertRaises(tareas.Refused):
            list(client.follow(tareas.uuid7()))

    def test_following_goes_on_across_a_restart_and_says_nothing_twice(self) -> None:
        client = self.client()
        task = client.submit("sleep", ms=1_500)
        events = client.follow(task.id)
        self.server.kill()
        self.server.start()
        self.assertEqual(list(events)[-1]["status"], "succeeded")

    def test_a_running_task_is_cancelled(self) -> None:
        app = self.worker()

        @app.task("py_long")
        def long(context: tareas.Context, payload: object) -> None:
            context.sleep(60)

        app.start()
        app.wait_connected()
        task = self.client().submit("py_long", 1)
        while task.status()["status"] != "running":
            time.sleep(0.02)
        task.cancel()
        with self.assertRaises(tareas.TaskCancelled):
            task.result(5)

    def test_a_worker_goes_on_across_a_restart_of_the_server(self) -> None:
        app = self.worker()
        runs = []

        @app.task("py_slow")
        def slow(payload: int) -> int:
            runs.append(payload)
            time.sleep(3)
            return payload

        app.start()
        app.wait_connected()
        task = self.client().submit("py_slow", 7)
        while not runs:
            time.sleep(0.02)
        self.server.kill()
        self.server.start()
        self.assertEqual(task.result(30), 7)
        self.assertEqual(runs, [7])

    def test_processes(self) -> None:
        app = self.worker(processes=2)

        @app.task("py_pid")
        def pid(payload: object) -> int:
            return os.getpid()

        app.start()
        app.wait_connected()
        self.assertNotEqual(self.client().submit("py_pid", 1).result(20), os.getpid())

    def test_it_is_quick_enough(self) -> None:
        app = self.worker()

        @app.task("py_square")
        def square(payload: dict) -> int:
            return payload["n"] ** 2

        app.start()
        app.wait_connected()
        client = self.client()
        client.map("py_square", [{"n": n} for n in range(500)], 60)
        count, began = 10_000, time.monotonic()
        results = client.map("py_square", [{"n": n} for n in range(count)], 120)
        took = time.monotonic() - began
        self.assertEqual(results, [n * n for n in range(count)])
        print(f"python worker and client: {count / took:.0f} tasks/s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
