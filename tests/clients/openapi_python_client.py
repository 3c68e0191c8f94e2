"""Books, lists, compares and reads every GET with the client that openapi-python-client makes of the OpenAPI document."""

import importlib
import io
import json
import pkgutil
import sys
from datetime import datetime, timedelta, timezone

import daybook_client.api
from daybook_client import AuthenticatedClient
from daybook_client import models
from daybook_client.types import File

url, key, operator_key = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True)
operator = AuthenticatedClient(base_url=url, token=operator_key, raise_on_unexpected_status=True)

# Every operation is a module.
operations = {}
for tag in pkgutil.iter_modules(daybook_client.api.__path__, daybook_client.api.__name__ + "."):
    package = importlib.import_module(tag.name)
    for operation in pkgutil.iter_modules(package.__path__):
        operations[operation.name] = f"{tag.name}.{operation.name}"


def done(name, *args, **kwargs):
    """Calls an operation: its answer, parsed as the document says."""
    called.add(name)
    kwargs = {"client": client} | kwargs
    answer = importlib.import_module(operations[name]).sync_detailed(*args, **kwargs)
    assert 200 <= answer.status_code < 300, (name, answer.status_code, answer.content)
    assert answer.parsed is not None, (name, answer.content)
    return answer.parsed


called = set()
now = datetime.now(timezone.utc)


def day(after):
    return (now + timedelta(days=after)).date()


week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
room = done("register_resource", body=models.ResourceBody.from_dict({
    "name": "A room", "kind": "room", "time_zone": "UTC",
    "weekly_hours": [{"days": week, "from": "00:00", "to": "24:00"}],
}))
terms = {"category": "visit", "duration_minutes": 30, "needs": [{"role": "room", "kind": "room"}]}
service = done("define_service", body=models.ServiceBody.from_dict({"name": "A visit", **terms}))
lesson = done("define_service", body=models.ServiceBody.from_dict({"name": "A class", "session_places": 1, **terms}))
person = done("register_client", body=models.ClientBody.from_dict({"name": "A client"}))
first, last = day(300), day(301)
exception = done("add_resource_exception", room.id, body=models.ExceptionBodyType0.from_dict(
    {"kind": "time-off", "days": {"first": first.isoformat(), "last": last.isoformat()}}))

free = done("get_availability", service_id=service.id, from_=day(7), to=day(13), tz="UTC", limit=3)
booked = done("create_appointment", body=models.BookingBody(
    service_id=service.id, client_id=person.id, start_at=free.slots[0].start_at))
tagged = done("change_appointment", booked.id, body=models.AppointmentChanges.from_dict({"tags": ["first"]}))
ten = datetime.combine(day(8), datetime.min.time(), timezone.utc) + timedelta(hours=10)
session = done("schedule_session", body=models.SessionBody(service_id=lesson.id, start_at=ten))
done("book_place", session.id, body=models.PlaceBody.from_dict({"client_id": str(person.id)}))
waiting = done("join_waiting_list", body=models.JoinBody.from_dict({
    "service_id": str(lesson.id), "client_id": str(person.id), "from": day(7).isoformat(), "to": day(13).isoformat(),
    "time_zone": "UTC",
}))
series = done("book_series", body=models.SeriesBody.from_dict({
    "service_id": str(service.id), "client_id": str(person.id), "dtstart": f"{day(20)}T09:00", "time_zone": "UTC",
    "rrule": "FREQ=DAILY;COUNT=2",
}))

calendar = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//daybook//clients//EN\r\nEND:VCALENDAR\r\n"
form = models.ImportForm(file=File(payload=io.BytesIO(calendar), file_name="calendar.ics", mime_type="text/calendar"))
imported = done("begin_import", body=form)

done("live")
done("ready")
done("get_agenda", resource_id=room.id, date=day(7))
done("diff_agenda", resource_id=room.id, date=day(7), from_="position:1")
position = done("list_events", limit=1).head
page = done("list_appointments", min_position=position, limit=200)
done("get_appointment", booked.id)
changed = done("diff_appointment", booked.id, from_="position:1")
done("list_appointment_events", booked.id)
done("list_appointment_reminders", booked.id)
done("get_client", person.id)
done("get_client_history", person.id)
done("get_client_privacy", person.id)
events = done("list_events", limit=1_000)
exported = done("export_events")
done("get_resource", room.id)
done("get_resource_exception", room.id, exception.id)
done("get_opening_hours", room.id, from_=day(7), to=day(13))
done("get_series", series.id)
done("get_service", service.id)
done("get_session", session.id)
done("list_places", session.id)
done("get_utilisation", from_=day(7), to=day(13))
done("get_waiting", waiting.id)
done("read_import", imported.id)
done("get_key", done("list_keys").items[0].id)
issuer = done("add_issuer", body=models.IssuerBody.from_dict({
    "issuer": "https://login.example.org", "audience": str(room.id), "algorithms": ["RS256"],
    "grants": [{"claim": "scope", "value": "read", "scopes": ["availability"]}],
}))
done("list_issuers")
webhook = done("create_webhook", body=models.WebhookBody.from_dict({"url": "https://example.org/daybook", "active": False}))
done("list_webhooks")
done("get_webhook", webhook.id)
done("list_webhook_deliveries", webhook.id)
template = {"subject": "Hello", "text": "Hello {{ client.name }}"}
done("put_template", "reminder", "nb", body=models.TemplateBody.from_dict(template))
done("list_templates")
done("get_template", "reminder", "nb")
calendar_feed = done("create_calendar_feed", body=models.CalendarFeedBody.from_dict({"name": "All"}))
done("list_calendar_feeds")
done("get_calendar_feed", calendar_feed.id)
done("list_browser_sessions")
done("list_links", booked.id)
done("list_audit")
done("preview_retention", days=1_095)
# Files of lines, a form that the generator does not know.
for name, path in [("export_audit", "/v1/audit/export"), ("get_personal_data", f"/v1/clients/{person.id}/personal-data")]:
    called.add(name)
    file = client.get_httpx_client().get(path)
    assert file.status_code == 200 and all(json.loads(line) for line in file.text.splitlines()), (name, file.text)
done("get_issuer", issuer.id)
done("list_programs", client=operator)
for name in ["list_clients", "list_conflicts", "list_projections", "list_reminders", "list_resources", "list_services",
             "list_sessions", "list_waiting", "read_settings"]:
    done(name)
# It never ends, and the generated function waits for its end.
called.add("stream_events")
with client.get_httpx_client().stream("GET", "/v1/events/stream") as stream:
    assert next(stream.iter_lines()) is not None

for name, module in operations.items():
    method = importlib.import_module(module)._get_kwargs.__code__.co_consts
    assert "get" not in method or name in called, f"{name} is a GET that was not read"

print(json.dumps({
    "booked": str(tagged.id), "titles": [item.title for item in page.items],
    "changes": [change.field for change in changed.changes], "events": len(events.items),
    "exported": len(str(exported)) > 100,
}))
