"""A receiver of webhooks with the standard library alone. Tells each request as a line of JSON.

Usage: receiver.py PORT FOLDER. FOLDER holds verify.py (from the documentation) and the file
`secrets`, a secret in each line. The path says what is answered: /ok, /gone, /slow, /STATUS.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, folder = int(sys.argv[1]), sys.argv[2]
sys.path.insert(0, folder)
from verify import verify  # noqa: E402

lock = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        secrets = open(folder + "/secrets").read().split()
        if self.path == "/slow":
            time.sleep(20)
        told = {
            "path": self.path,
            "id": self.headers["webhook-id"],
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode(),
            "valid": [verify(secret, self.headers, body) for secret in secrets],
        }
        with lock:
            print(json.dumps(told), flush=True)
        status = {"/ok": 204, "/gone": 410, "/slow": 204}.get(self.path)
        self.send_response(status or int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
server.daemon_threads = True
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
