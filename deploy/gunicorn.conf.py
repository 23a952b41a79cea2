"""gunicorn's settings: `gunicorn --config deploy/gunicorn.conf.py wsgi:app`.

The address comes from DIGITRE_BIND (host:port, or unix:path), or PORT on this machine alone; the number of workers from
WEB_CONCURRENCY, else one a processor core: reading a digit is all processor work. DIGITRE_PIDFILE names
a file for the process's number: `kill -HUP` to it lets new workers take a promoted network, while the
old ones end what they are at.
"""

import fcntl
import glob
import os
import shutil
import tempfile

# The matrices of a reading are small: threads for them would only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A line of JSON for each request, on standard output: systemd and containers keep it from there.
os.environ.setdefault("DIGITRE_LOG", "1")

# What this server keeps while it runs, in memory where there is such a place, which a full disk does not
# touch: heartbeats, each worker's figures, which /metrics adds up, and the network that it serves. The folder
# is named after gunicorn's master, which reads this file again at each reload and goes on with the same one.
memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
ours = f"digitre-{os.getpid()}-"
runtime = inherited = os.environ.get("DIGITRE_RUNTIME", "")
if not os.path.basename(runtime).startswith(ours):
    runtime = os.environ["DIGITRE_RUNTIME"] = tempfile.mkdtemp(prefix=ours, dir=memory)
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR", inherited) == inherited:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = runtime
    # Locked while this server runs, its workers as well; what nobody locks was left by one that was killed.
    fcntl.flock(os.open(f"{runtime}/lock", os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)
    for lock in glob.glob(os.path.join(os.path.dirname(runtime), "digitre-*", "lock")):
        try:
            with open(lock, "rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(os.path.dirname(lock), ignore_errors=True)
        except OSError:
            continue  # in use, or another user's


def on_starting(server):
    """Without a network that works nothing is started."""
    if server.cfg.reload:
        return  # for development: workers import the code themselves, anew
    from digitre.serving import preload

    if error := preload.take(runtime):
        shutil.rmtree(runtime, ignore_errors=True)
        raise SystemExit(f"digitre: {error}")


def on_reload(server):
    """The network may be another one now; if it does not work, the one that is served stays."""
    from digitre.serving import preload

    if error := preload.take(runtime):
        server.log.error("digitre: %s; the network that is served stays", error)


def child_exit(server, worker):
    """What a worker counted stays; what was true of it alone goes."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """Nothing of it is left."""
    shutil.rmtree(runtime, ignore_errors=True)


bind = os.environ.get("DIGITRE_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_CONCURRENCY") or os.cpu_count() or 1)
worker_class = "digitre.serving.worker.WholeAnswers"  # sync: reading a digit waits for nothing
pidfile = os.environ.get("DIGITRE_PIDFILE") or None
timeout = 30
graceful_timeout = 30
# Longer than any address that this application has, shorter than what a flood would send.
limit_request_line = 4094
limit_request_fields = 50
worker_tmp_dir = memory
# gunicorn's control socket would be a file in the home folder, and nothing here uses it.
control_socket_disable = True
