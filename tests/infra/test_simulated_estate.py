"""The simulator plays what is deployed: its figures are those of the templates."""

import pytest

from benchmarks.simulation import estate
from benchmarks.simulation.weather import Weather
from benchmarks.simulation.world import START
from tests.synthesis import function_of


@pytest.fixture(scope="module")
def functions(app):
    """The properties of our functions in prod, by package."""
    found = app.resources("prod", "AWS::Lambda::Function")
    return {function_of(resource): resource["Properties"] for resource in found.values()}


@pytest.fixture(scope="module")
def mappings(app):
    """The event source mappings of prod, by the logical id's first word."""
    return app.resources("prod", "AWS::Lambda::EventSourceMapping")


def test_every_simulated_function_is_deployed_with_its_timeout(functions):
    for name, timing in estate.TIMINGS.items():
        assert functions[name]["Timeout"] == timing.timeout_seconds, name


def test_the_simulated_environment_holds_every_variable_of_the_functions(functions):
    for name in estate.TIMINGS:
        assert set(functions[name]["Environment"]["Variables"]) <= set(estate.ENVIRONMENT), name


def test_streams_are_followed_as_they_are_in_the_simulator(mappings):
    deployed = {
        mapping["Properties"]["BatchSize"]: mapping["Properties"]
        for mapping in mappings.values()
        if "StartingPosition" in mapping["Properties"]
    }
    made = estate.Estate(seed=1, weather=Weather(calm_from=START))
    for follower in made.stream.followers:
        properties = deployed[follower.batch_size]
        assert properties["MaximumRetryAttempts"] == follower.retries
        assert properties["MaximumRecordAgeInSeconds"] == follower.maximum_age_seconds
        assert properties["BisectBatchOnFunctionError"] is True


def test_queues_hide_and_give_up_as_they_do_in_the_simulator(app):
    queues = app.resources("prod", "AWS::SQS::Queue").values()
    deployed = {
        (queue["Properties"]["VisibilityTimeout"], queue["Properties"]["RedrivePolicy"]["maxReceiveCount"])
        for queue in queues
        if "RedrivePolicy" in queue["Properties"]
    }
    made = estate.Estate(seed=1, weather=Weather(calm_from=START))
    for queue in (made.queue, made.alert_queue):
        assert (queue.visibility_seconds, queue.receives_before_dead) in deployed, queue.name
