"""The application for any WSGI server, such as `gunicorn wsgi:app`."""

from digitre import create_app

app = create_app()
