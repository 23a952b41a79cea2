"""The application for a WSGI server: `gunicorn wsgi:app`."""

from digitre import create_app

app = create_app()
