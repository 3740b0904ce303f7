"""django-helpdesk on SQLite: tickets by its public form, and two people who take one ticket in the same instant.

Run by `python -m benchmarks.peers` in an environment of its own: `python peer_helpdesk.py FOLDER`; prints JSON. Requests go
through Django's test client: the whole view, form, templates and database, no HTTP and no network; mail goes nowhere.
"""

import json
import logging
import sys
import threading
import time
from pathlib import Path

import django
from django.conf import settings

TICKETS, RACES = 50, 20
APPS = "admin auth contenttypes humanize messages sessions sites staticfiles"
urlpatterns: list[object] = []  # filled once Django is set up; this module is its own ROOT_URLCONF


def set_up(folder: Path) -> None:
    settings.configure(
        SECRET_KEY="a benchmark's",
        ALLOWED_HOSTS=["testserver"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "helpdesk.db",
                "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=FULL"},
            }
        },
        INSTALLED_APPS=[*(f"django.contrib.{app}" for app in APPS.split()), "rest_framework", "helpdesk"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        ROOT_URLCONF=__name__,
        SITE_ID=1,
        STATIC_URL="/static/",
        MEDIA_ROOT=str(folder),
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        LOGGING_CONFIG=None,
        HELPDESK_TEAMS_MODE_ENABLED=False,
        HELPDESK_PUBLIC_TICKET_QUEUE="complaints",
        HELPDESK_PUBLIC_TICKET_PRIORITY=3,
        HELPDESK_PUBLIC_TICKET_DUE_DATE=None,
    )
    django.setup()
    from django.contrib import admin
    from django.core.management import call_command
    from django.urls import include, path

    urlpatterns.extend([path("", include("helpdesk.urls", namespace="helpdesk")), path("admin/", admin.site.urls)])
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    from helpdesk.models import Queue

    Queue.objects.create(title="complaints", slug="complaints", allow_public_submission=True)
    for name in ("zhao", "qian"):
        User.objects.create_user(name, f"{name}@example.invalid", "invented", is_staff=True)


def tickets() -> dict[str, object]:
    from django.test import Client
    from helpdesk.models import Ticket

    client = Client()
    began, cost = time.perf_counter(), time.process_time()
    for number in range(TICKETS):
        client.post(
            "/tickets/submit/",
            {
                "title": f"路灯不亮（第{number}次来电）",
                "body": "市民反映，柳林村村口路灯坏了三盏，夜里看不见路，请尽快维修。",
                "submitter_email": "somebody@example.invalid",
            },
        )
    took, spent = time.perf_counter() - began, time.process_time() - cost
    return {
        "tickets_per_second_by_form": round(TICKETS / took),
        "cpu_ms_per_ticket": round(spent * 1000 / TICKETS, 1),
        "tickets_made_of_50": Ticket.objects.count(),
    }


def take_at_once() -> dict[str, object]:
    """Two members of staff press "take" on one ticket at once; who is told that it is theirs, and who has it."""
    from django.db import connections
    from django.test import Client
    from helpdesk.models import FollowUp, Ticket

    names = ("zhao", "qian")
    clients = {name: Client() for name in names}
    for name, client in clients.items():
        assert client.login(username=name, password="invented")
    both_told = refused = failed = 0
    for ticket in Ticket.objects.order_by("id")[:RACES]:
        barrier, answers = threading.Barrier(2), []

        def take(name: str, ticket_id: int, barrier: threading.Barrier = barrier, answers: list = answers) -> None:
            barrier.wait()
            try:
                answers.append(clients[name].get(f"/tickets/{ticket_id}/", {"take": ""}).status_code)
            except Exception as error:  # one that was refused by the database
                answers.append(type(error).__name__)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=take, args=(name, ticket.id)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = FollowUp.objects.filter(ticket=ticket, title__startswith="Assigned to").count()
        both_told += answers == [302, 302] and told == 2
        refused += any(isinstance(answer, int) and answer >= 400 for answer in answers)
        failed += any(isinstance(answer, str) for answer in answers)
    return {
        "two_takes_at_once": {
            "of": RACES,
            "both_told_it_is_theirs": both_told,
            "one_refused": refused,
            "failed": failed,
        }
    }


def main() -> None:
    logging.disable(logging.ERROR)
    set_up(Path(sys.argv[1]))
    print(json.dumps({**tickets(), **take_at_once()}))


if __name__ == "__main__":
    main()
