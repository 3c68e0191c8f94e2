"""Clients who book at a deployment while its parts are killed, and what they were told at the end.

    drive.py URL KEY FOLDER

Books one slot after the other for each of six rooms, each with an Idempotency-Key and as often as it takes, until FOLDER has a file
`stop`. FOLDER/progress has how many are booked so far. At the end each booking that was acknowledged is asked for, and the last line
says how many there are, how many attempts failed, and the longest time between two acknowledgements.
"""

import json
import os
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

URL, KEY, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
ROOMS = 6
PATIENCE = 120  # seconds until a request must have been answered
ALWAYS = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00"}]


def ask(method, path, body=None, key=None):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


class Booked:
    """What was acknowledged, and when."""

    def __init__(self):
        self.lock = threading.Lock()
        self.all, self.failed, self.gap, self.last = {}, 0, 0.0, time.monotonic()

    def done(self, appointment):
        with self.lock:
            now = time.monotonic()
            self.gap, self.last = max(self.gap, now - self.last), now
            self.all[appointment["id"]] = appointment
            (FOLDER / "progress.new").write_text(str(len(self.all)))
            (FOLDER / "progress.new").replace(FOLDER / "progress")


def give_up(why):
    """Ends the program, from whichever thread."""
    print(why, file=sys.stderr, flush=True)
    os._exit(1)


def insist(what, booked=None):
    """Does it until it is answered; a refusal is final."""
    began = time.monotonic()
    while True:
        try:
            return what()
        except urllib.error.HTTPError as refused:
            if refused.code < 500 and refused.code != 429:
                give_up(f"{refused.code}: {refused.read().decode()}")
            failure = refused
        except OSError as failed:
            failure = failed
        if booked:
            with booked.lock:
                booked.failed += 1
        if time.monotonic() - began > PATIENCE:
            give_up(f"not answered within {PATIENCE} s: {failure}")
        time.sleep(0.2)


def book(booked, service, room, client):
    start = datetime(2031, 1, 6, tzinfo=timezone.utc)
    while not (FOLDER / "stop").exists():
        key = str(uuid.uuid4())
        wish = {"service_id": service, "client_id": client, "resource_ids": [room], "start_at": start.isoformat().replace("+00:00", "Z")}
        booked.done(insist(lambda: ask("POST", "/v1/appointments", wish, key), booked))
        start += timedelta(minutes=30)


def created(path, body):
    key = str(uuid.uuid4())
    return insist(lambda: ask("POST", path, body, key))["id"]


def main():
    service = created("/v1/services", {"name": "Check-up", "category": "check-up", "duration_minutes": 30})
    client = created("/v1/clients", {"name": "Somebody"})
    room = {"kind": "room", "time_zone": "UTC", "weekly_hours": ALWAYS}
    rooms = [created("/v1/resources", {"name": f"Room {n}", **room}) for n in range(ROOMS)]
    booked = Booked()
    clients = [threading.Thread(target=book, args=(booked, service, room, client)) for room in rooms]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    for identifier, told in booked.all.items():
        found = insist(lambda: ask("GET", f"/v1/appointments/{identifier}"))
        if found != told:
            give_up(f"acknowledged as {told}, and is {found}")
    print(f"{len(booked.all)} booked and found again, {booked.failed} attempts failed, longest gap {booked.gap:.1f} s")


main()
