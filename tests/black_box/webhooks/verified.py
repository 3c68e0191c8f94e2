"""Says of each message on standard input (JSON: secret, headers, body) whether the official library takes it."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    message = json.loads(line)
    try:
        Webhook(message["secret"]).verify(message["body"], message["headers"])
        print("true", flush=True)
    except WebhookVerificationError as refused:
        print(json.dumps(str(refused)), flush=True)
