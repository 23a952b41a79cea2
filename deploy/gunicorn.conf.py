"""gunicorn's settings: `gunicorn --config deploy/gunicorn.conf.py wsgi:app`.

The address comes from DIGITRE_BIND (host:port, or unix:path), or PORT on this machine alone; the number of workers from
WEB_CONCURRENCY, else one a processor core: reading a digit is all processor work. DIGITRE_PIDFILE names
a file for the process's number: `kill -HUP` to it lets new workers take a promoted network, while the
old ones end what they are at.
"""

import os
import shutil
import tempfile

# The matrices of a reading are small: threads for them would only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A line of JSON for each request, on standard output: systemd and containers keep it from there.
os.environ.setdefault("DIGITRE_LOG", "1")

# Each worker writes its figures into a file there, and /metrics adds them up. This file is read again
# at each reload, which goes on with the same folder.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="digitre-metrics-")
    os.environ["DIGITRE_METRICS_ARE_OURS"] = os.environ["PROMETHEUS_MULTIPROC_DIR"]


def child_exit(server, worker):
    """What a worker counted stays; what was true of it alone goes."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """The figures go with the server."""
    shutil.rmtree(os.environ.get("DIGITRE_METRICS_ARE_OURS", ""), ignore_errors=True)


bind = os.environ.get("DIGITRE_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_CONCURRENCY") or os.cpu_count() or 1)
pidfile = os.environ.get("DIGITRE_PIDFILE") or None
timeout = 30
graceful_pidfile = os.environ.get("DIGITRE_PIDFILE") or None
timeout = 30
# Longer than any address that this application has, shorter than what a flood would send.
limit_request_line = 4094
limit_request_fields = 50
# Heartbeats belong in memory, where there is such a place.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
# gunicorn's control socket would be a file in the home folder, and nothing here uses it.
control_socket_disable = True
