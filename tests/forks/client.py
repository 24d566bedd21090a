"""Stands for a fork of the server, or becomes Python; it imports for milliseconds only."""

import json
import os
import signal
import socket
import sys

CONTEXT = "--serialized-runtime-env-context="

words = sys.argv[1:]
program = words[0].partition("/ray/_private/workers/")[2] if words else ""
if program == "setup_worker.py":
    # It starts Python once more when it has set what the job wants in the environment.
    context = next((w.removeprefix(CONTEXT) for w in words if w.startswith(CONTEXT)), "{}")
    os.environ.update(json.loads(context).get("env_vars", {}))
    words = [w for w in words[1:] if not w.startswith((CONTEXT, "--language="))]
elif program != "default_worker.py" and (words[:1] != ["-m"] or words[1][:7] != "search."):
    os.execv(sys.executable, [sys.executable, *words])

server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.connect(f"{sys.argv[0].rpartition('/')[0]}/socket")
here = os.getcwd()  # noqa: PTH109
request = {"words": words, "environ": dict(os.environ), "folder": here, "pid": os.getpid()}
socket.send_fds(server, [json.dumps(request).encode()], [0, 1, 2])
fork = int(server.recv(64))
passed_on = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
for number in passed_on:
    signal.signal(number, lambda passed, _: os.kill(fork, passed))
status = int(server.recv(64))
for number in passed_on:
    signal.signal(number, signal.SIG_DFL)
if os.WIFSIGNALED(status):
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.WEXITSTATUS(status))
