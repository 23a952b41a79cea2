"""gunicorn's settings: `gunicorn --config deploy/gunicorn.conf.py wsgi:app`.

The environment sets:

- DIGITRE_BIND: the address to listen on, as host:port or unix:path. Without it, gunicorn listens on
  127.0.0.1 at PORT (8000 if unset).
- WEB_CONCURRENCY: the number of workers. Without it, one per processor core, because reading a digit
  keeps a core busy.
- DIGITRE_PIDFILE: a file for the process number of gunicorn's master.

Send the master SIGHUP (`kill -HUP`) after you promote a network: new workers start with it, and the old
ones finish their requests.
"""

import os

# The matrices of a reading are small: more threads would only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# One line of JSON for each request on standard output, where systemd and containers collect it.
os.environ.setdefault("DIGITRE_LOG", "1")

from digitre import config as settings
from digitre.serving import listening, runtime
from digitre.web import shares

try:
    settings.load()
    bind, workers = listening.address(), listening.workers()
    shares.workers = workers
    folder = runtime.open_folder()
except (OSError, ValueError) as error:
    listening.stop(error)


def on_starting(server):
    """Do not start without a network that works."""
    if server.cfg.reload:
        return  # for development: each worker imports the code itself, so that changes show
    from digitre.serving.preload import preload

    try:
        preload(folder)
    except Exception as error:
        runtime.remove(folder)
        listening.stop(error)


def on_reload(server):
    """Serve the network that is promoted now. If it does not work, for any reason, keep the current one."""
    from digitre.serving.preload import preload

    try:
        preload(folder)
    except Exception as error:
        server.log.error("digitre: %s; the current network stays", error)


def post_fork(server, worker):
    """Keep reading, but without metrics, if there is not enough memory for them."""
    if not settings.load()["METRICS"]:
        return
    try:
        runtime.allocate_metrics()
    except OSError as error:
        os.environ["DIGITRE_METRICS"] = "0"  # of this process
        server.log.warning("digitre: no metrics of worker %s: %s", worker.pid, error)


def post_worker_init(worker):
    """Load LiteRT before the first request comes, which would else wait for it."""
    from digitre.serving.warm import warm

    warm(worker.wsgi)


def child_exit(server, worker):
    """Keep a worker's counters, but drop the gauges that described only that worker."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)
    runtime.release_metrics(worker.pid)


def on_exit(server):
    """Leave nothing behind."""
    runtime.remove(folder)


worker_class = (
    "digitre.serving.worker.WholeAnswers"  # a sync worker: reading never waits for anything
)
pidfile = os.environ.get("DIGITRE_PIDFILE") or None
# A longer queue only makes everyone wait: nginx answers 503 at once when it is full.
backlog = 256
timeout = 30
graceful_timeout = 30
# Longer than any address of this application, shorter than what an attacker would send.
limit_request_line = 4094
limit_request_fields = 50
worker_tmp_dir = runtime.memory()
# gunicorn's control socket would be a file in the home folder, and nothing here uses it.
control_socket_disable = True
