"""What schemathesis cannot read in the document: which texts its formats are, and how the program tells a refusal by a rule
from one of form."""

import json
import os
import uuid
from datetime import date

import schemathesis
from hypothesis import strategies as st

# From 1970 to 2199: what the log can keep, which JSON Schema has no word for.
days = st.dates(min_value=date(1970, 1, 2), max_value=date(2199, 12, 30))
days = days.map(lambda day: day.isoformat())
times = st.times().map(lambda time: time.strftime("%H:%M"))
local = st.builds("{}T{}".format, days, times)
instants = st.builds("{}:00{}".format, local, st.sampled_from(["Z", "+01:00", "-05:30"]))
positions = st.integers(min_value=1, max_value=20).map("position:{}".format)
zones = st.sampled_from(["UTC", "Europe/Oslo", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
rules = st.builds(
    "FREQ={};COUNT={}".format, st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]), st.integers(1, 5)
)

schemathesis.openapi.format("date", days)
schemathesis.openapi.format("date-time", instants)
schemathesis.openapi.format("local-date-time", local)
schemathesis.openapi.format("instant-or-date", st.one_of(instants, days))
schemathesis.openapi.format("moment", st.one_of(instants, days, positions))
schemathesis.openapi.format("time-zone", zones)
schemathesis.openapi.format("rrule", rules)

# Problems of a request's form: whoever keeps to the document has none of them.
OF_THE_FORM = {
    "invalid-id",
    "invalid-idempotency-key",
    "invalid-if-match",
    "invalid-json",
    "invalid-query",
    "unsupported-media-type",
}

# How the program says that a body is not of the form, and not that a value in it is none that it takes.
OF_A_BODY = (
    "invalid type",
    "unknown field",
    "missing field",
    "unknown variant",
    "must not be empty",
    "must not contain",
)

# What members of a request must be to each other, which no schema says.
BETWEEN_MEMBERS = (
    "it is after as_of",
    "it is of lists as they are now, without as_of",
    "it goes with sort=",
    "without a service_id it must be given",
    "the moment to explain",
    "so they must be given",
)


# The first release has promised a document that does not say it of every parameter.
UNSAID = "it is empty: give it a value, or leave it out"


# What there is: by operation what its path names, and by the name of a member what that can be.
KNOWN = json.loads(os.environ["DAYBOOK_KNOWN"])


def one_that_there_is(value, known):
    """Of four ids that were made up, three are of something that there is."""
    try:
        made_up = known is not None and uuid.UUID(value)
    except (AttributeError, TypeError, ValueError):
        return value
    return known if made_up and made_up.int % 4 else value


def with_those_that_there_are(value):
    if isinstance(value, list):
        return [with_those_that_there_are(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = KNOWN["members"]
    changed = {}
    for name, member in value.items():
        if isinstance(member, list) and len(member) == 1:
            changed[name] = [one_that_there_is(member[0], members.get(name.removesuffix("s")))]
        else:
            changed[name] = one_that_there_is(member, members.get(name))
        changed[name] = with_those_that_there_are(changed[name])
    return changed


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Whoever asks for what there is gets further than a 404."""
    known = KNOWN["paths"].get(f"{case.operation.method.upper()} {case.operation.path}", {})
    for name, value in (case.path_parameters or {}).items():
        case.path_parameters[name] = one_that_there_is(value, known.get(name))
    for name, value in (case.query or {}).items():
        case.query[name] = one_that_there_is(value, KNOWN["members"].get(name))
    if isinstance(case.body, (dict, list)):
        case.body = with_those_that_there_are(case.body)


@schemathesis.hook
def filter_case(ctx, case):
    """Whoever sends a header that nobody knows does no wrong (RFC 9110 section 5.1)."""
    return "x-schemathesis-unknown-property" not in (case.headers or {})


def whole(value):
    """As clients write it: JSON Schema takes 30.0 for a whole number, and none writes that."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    return value


@schemathesis.hook
def map_body(ctx, body):
    return whole(body)


@schemathesis.check
def what_the_document_allows_is_understood(ctx, response, case):
    """A request that keeps to the document can be refused by a rule, but not for its form."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code not in (400, 415, 422):
        return
    problem = response.json()
    kind, detail = problem["type"].rsplit(":", 1)[1], problem["detail"]
    # Where it goes through the bounds of a header, schemathesis loses the quotes of an ETag.
    if kind == "invalid-if-match" and '"' not in response.request.headers["If-Match"][0]:
        return
    between = any(said in detail for said in (*BETWEEN_MEMBERS, UNSAID))
    of_a_body = kind == "invalid-body" and any(said in detail for said in OF_A_BODY)
    assert between or not of_a_body and kind not in OF_THE_FORM, f"{kind}: {detail}"
