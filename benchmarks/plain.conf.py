"""gunicorn's settings for the applications that Digitre is compared with: its worker, nothing else."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
worker_class = "digitre.serving.worker.WholeAnswers"
bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
