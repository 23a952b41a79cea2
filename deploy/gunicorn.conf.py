"""gunicorn's settings: `gunicorn --config deploy/gunicorn.conf.py wsgi:app`.

The address comes from DIGITRE_BIND (host:port, or unix:path), or PORT on this machine alone; the number of workers from
WEB_CONCURRENCY, else one a processor core: reading a digit is all processor work.
"""

import os

# The matrices of a reading are small: threads for them would only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

bind = os.environ.get("DIGITRE_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_CONCURRENCY") or os.cpu_count() or 1)
timeout = 30
graceful_timeout = 30
# Longer than any address that this application has, shorter than what a flood would send.
limit_request_line = 4094
limit_request_fields = 50
# Heartbeats belong in memory, where there is such a place.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
# gunicorn's control socket would be a file in the home folder, and nothing here uses it.
control_socket_disable = True
