"""A mail relay with faults: PORT MAILBOX [CERTIFICATE KEY].

What it takes on is a line of JSON in the mailbox. What goes wrong is in the local part of the recipient:
`busy-2.…` is answered 451 twice, `leaving-1.…` 421 once, `cut-1.…` is taken on and never answered, once, `late-2.…` is answered two
seconds late, and `gone.…` is no mailbox (550).
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

seen = {}


def fault(recipient):
    """What goes wrong, how often, and how often it has."""
    what, _, rest = recipient.partition("-")
    number = rest.partition(".")[0]
    if not number.isdigit():
        return recipient.partition(".")[0], 0, 0
    seen[recipient] = seen.get(recipient, 0) + 1
    return what, int(number), seen[recipient]


class Handler:
    def __init__(self, mailbox):
        self.mailbox = mailbox

    async def handle_RCPT(self, server, session, envelope, address, options):
        if fault(address)[0] == "gone":
            return f"550 5.1.1 <{address}>: no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        what, number, nth = fault(recipient)
        if what == "busy" and nth <= 2 * number:
            return f"451 4.3.0 <{recipient}>: try again later"
        if what == "leaving" and nth <= 2 * number:
            return "421 4.3.2 closing"
        self.keep(session, envelope)
        if what == "cut" and nth <= 2 * number:
            server.transport.abort()
            return "250 never heard"
        if what == "late":
            await asyncio.sleep(number)
        return "250 OK"

    def keep(self, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        html = message.get_body(("html",))
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": getattr(session, "user", None),
            "message_id": message["message-id"],
            "subject": message["subject"],
            "headers": [name.lower() for name in message.keys()],
            "text": message.get_body(("plain",)).get_content(),
            "html": html and html.get_content(),
            "raw": envelope.content.decode("latin-1"),
        }
        with open(self.mailbox, "a") as mailbox:
            mailbox.write(json.dumps(kept) + "\n")


def authenticate(server, session, envelope, mechanism, data):
    ok = data.login == b"daybook" and data.password == b"p@ss:word"
    session.user = data.login.decode() if ok else None
    return AuthResult(success=ok, handled=False)


async def main(port, mailbox, certificate=None, key=None):
    handler, options = Handler(mailbox), {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        options = {
            "tls_context": context,
            "require_starttls": True,
            "authenticator": authenticate,
            "auth_required": True,
        }
    make = lambda: SMTP(handler, hostname="relay.example", **options)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", int(port))
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
