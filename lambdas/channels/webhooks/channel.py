"""What is pushed to us, signed: POST /v1/webhooks/{source}."""

from lambdas.channels.declaration import Access, Channel, Route

CHANNEL = Channel(
    name="webhooks",
    description="Takes in signed webhooks of partner sites, chat tools and social listening",
    trigger=Route(method="POST", path="/v1/webhooks/{source}", authorizer="channels.webhook_gate"),
    timeout_seconds=15,
    memory_mib=512,
    access=(Access.ACCEPT, Access.SECRETS),
)
