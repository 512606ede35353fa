"""What people keep in Secrets Manager and Systems Manager for the functions to read."""

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.aws.parameter import ParameterUnavailableError, read_parameter
from lambdas.aws.secret import Secrets, SecretUnavailableError


@pytest.fixture
def stubbed(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    def make(service):
        client = boto3.client(
            service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        return client, Stubber(client)

    return make


def test_a_secret_is_found_below_the_prefix(stubbed):
    client, stubber = stubbed("secretsmanager")
    stubber.add_response("get_secret_value", {"SecretString": "text"}, {"SecretId": "earshot/dev/webhooks/acme"})
    with stubber:
        assert Secrets(prefix="earshot/dev/webhooks/", secretsmanager=client).find("acme") == "text"


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException"])
def test_a_secret_that_is_not_there_or_going_is_none(stubbed, code):
    client, stubber = stubbed("secretsmanager")
    stubber.add_client_error("get_secret_value", code)
    with stubber:
        assert Secrets(prefix="p/", secretsmanager=client).find("acme") is None


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "DecryptionFailure", "InternalServiceError", "ThrottlingException"]
)
def test_nobody_knows_of_a_secret_that_cannot_be_read(stubbed, code):
    client, stubber = stubbed("secretsmanager")
    stubber.add_client_error("get_secret_value", code)
    with stubber, pytest.raises(SecretUnavailableError):
        Secrets(prefix="p/", secretsmanager=client).find("acme")


def test_a_parameter_is_read_or_unavailable(stubbed):
    client, stubber = stubbed("ssm")
    stubber.add_response("get_parameter", {"Parameter": {"Value": "{}"}}, {"Name": "/earshot/dev/sources"})
    stubber.add_client_error("get_parameter", "ParameterNotFound")
    with stubber:
        assert read_parameter("/earshot/dev/sources", ssm=client) == "{}"
        with pytest.raises(ParameterUnavailableError):
            read_parameter("/earshot/dev/sources", ssm=client)
