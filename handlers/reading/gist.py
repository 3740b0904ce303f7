"""One line that tells a complaint."""

from handlers.reading.views import Complaint


def gist(complaint: Complaint) -> str:
    return complaint.text[:60]
