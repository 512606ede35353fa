"""Sends a notice in the form of its destination. It does not know whether it was sent before."""

from dataclasses import dataclass

from feedback.alerting import forms
from feedback.alerting.teams import Destination, DestinationKind
from feedback.alerting.wording import Notice
from lambdas.aws.secret import Secrets, SecretUnavailableError
from lambdas.aws.topic import NotPublishedError, Topic
from lambdas.aws.webhook import NotTakenError, Webhook


class UndeliveredError(RuntimeError):
    """The destination did not take the alert; it is to be tried again."""


@dataclass(frozen=True, kw_only=True)
class Destinations:
    """The ways out."""

    topic: Topic
    webhook: Webhook
    secrets: Secrets

    def send(self, destination: Destination, notice: Notice, *, delivery: str) -> str:
        """Send and return what names the sent message; UndeliveredError otherwise."""
        if not destination.kind.is_webhook:
            try:
                return self.topic.publish(forms.letter(notice, kind=destination.kind, delivery=delivery))
            except NotPublishedError as error:
                raise UndeliveredError("The topic did not take an alert.") from error
        write = forms.slack if destination.kind is DestinationKind.SLACK else forms.teams
        try:
            self.webhook.post(self._address(destination), write(notice), delivery=delivery)
        except NotTakenError as error:
            raise UndeliveredError(f"A webhook did not take an alert (status {error.status}).") from error
        return delivery

    def _address(self, destination: Destination) -> str:
        try:
            address = self.secrets.find(destination.secret or destination.name)
        except SecretUnavailableError as error:
            raise UndeliveredError("The address of a webhook cannot be read.") from error
        if address is None:
            raise UndeliveredError("The address of a webhook is not among the secrets.")
        return address.strip()
