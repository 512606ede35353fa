import importlib

import pytest

from lambdas.environment import WrongEnvironmentError

EXPECTED = {
    "intake": (
        "LEDGER_TABLE",
        "ORIGINALS_TABLE",
        "ORIGINAL_DAYS",
        "DESK_TABLE",
        "QUEUE_URL",
        "ENDPOINT_NAME",
        "CLASSIFY_BUDGET_SECONDS",
        "LANGUAGES",
        "TRANSLATE",
    ),
    "router": ("LEDGER_TABLE", "DESK_TABLE", "ENDPOINT_NAME", "QUEUE_URL", "LANGUAGES", "TRANSLATE"),
    "alerts": ("LEDGER_TABLE", "DESK_TABLE", "ALERT_QUEUE_URL", "ALERT_POLICY_PARAMETER"),
    "notify": (
        "LEDGER_TABLE",
        "DESK_TABLE",
        "ALERT_QUEUE_URL",
        "ALERT_TOPIC_ARN",
        "ENDPOINT_NAME",
        "FEEDBACK_URL",
        "ALERT_POLICY_PARAMETER",
        "WEBHOOK_SECRET_PREFIX",
    ),
    "duty": ("LEDGER_TABLE", "DESK_TABLE", "ALERT_QUEUE_URL", "ALERT_POLICY_PARAMETER"),
    "respond": ("LEDGER_TABLE", "DESK_TABLE", "RESPONSE_BUS", "ALERT_POLICY_PARAMETER"),
    "response_example": ("LAKE_BUCKET",),
    "archive": ("LAKE_BUCKET",),
    "trends": ("LEDGER_TABLE", "DESK_TABLE"),
    "spikes": ("DESK_TABLE", "LEDGER_TABLE", "ALERT_QUEUE_URL"),
    "gate": (
        "MODEL_PACKAGE_GROUP",
        "MINIMUM_MACRO_F1",
        "MAXIMUM_CALIBRATION_ERROR",
        "MAXIMUM_ACCURACY_DIFFERENCE",
        "MAXIMUM_RECALL_DIFFERENCE",
    ),
    "register": (
        "MODEL_PACKAGE_GROUP",
        "TRANSFORM_IMAGE",
        "CLASSIFY_IMAGE",
        "LABEL_IMAGE",
        "APPROVAL",
        "INSTANCE_TYPE",
    ),
    "release": (
        "RELEASE_PARAMETER",
        "BESIDE_PARAMETER",
        "GUARDRAIL_PARAMETER",
        "ENDPOINT_STACK",
        "ROLLBACK_ALARMS",
    ),
    "canary": (
        "ENDPOINT_NAME",
        "VARIANT_NAME",
        "LAKE_BUCKET",
        "FEEDBACK_TEXTS",
        "MAXIMUM_DISAGREEMENT",
        "MAXIMUM_NEGATIVE_SHIFT",
        "MAXIMUM_UNSURE_SHIFT",
        "MAXIMUM_ACCURACY_DROP",
        "MAXIMUM_UNEXPECTED",
        "MAXIMUM_MILLISECONDS",
    ),
}
NUMBERS = {
    "CLASSIFY_BUDGET_SECONDS": "2.5",
    "ORIGINAL_DAYS": "30.0",
    "TRANSLATE": "off",
    "MINIMUM_MACRO_F1": "0.5",
    "MAXIMUM_CALIBRATION_ERROR": "0.05",
    "MAXIMUM_ACCURACY_DIFFERENCE": "0.1",
    "MAXIMUM_RECALL_DIFFERENCE": "0.2",
    "APPROVAL": "manual",
    "FEEDBACK_TEXTS": "200.0",
    "MAXIMUM_DISAGREEMENT": "0.25",
    "MAXIMUM_NEGATIVE_SHIFT": "0.15",
    "MAXIMUM_UNSURE_SHIFT": "0.25",
    "MAXIMUM_ACCURACY_DROP": "0.1",
    "MAXIMUM_UNEXPECTED": "0.05",
    "MAXIMUM_MILLISECONDS": "1000.0",
}


def settings_of(package):
    return importlib.import_module(f"lambdas.{package}.settings").Settings


@pytest.mark.parametrize("package", EXPECTED)
def test_every_function_names_the_variables_it_needs(package):
    assert settings_of(package).environment_names() == EXPECTED[package]


@pytest.mark.parametrize("package", EXPECTED)
def test_settings_are_read_from_the_environment(package):
    environment = {name: NUMBERS.get(name, f"the {name}") for name in EXPECTED[package]}
    settings = settings_of(package).from_env(environment | {"UNRELATED": "1"})
    assert [str(getattr(settings, name.lower())) for name in EXPECTED[package]] == list(environment.values())


@pytest.mark.parametrize("package", EXPECTED)
def test_every_missing_variable_is_named_at_once(package):
    with pytest.raises(WrongEnvironmentError) as raised:
        settings_of(package).from_env(dict.fromkeys(EXPECTED[package][:1], " "))
    assert all(f"{name} is missing" in str(raised.value) for name in EXPECTED[package])


@pytest.mark.parametrize(
    ("package", "name", "value"),
    [
        ("intake", "CLASSIFY_BUDGET_SECONDS", "soon"),
        ("intake", "CLASSIFY_BUDGET_SECONDS", "nan"),
        ("intake", "CLASSIFY_BUDGET_SECONDS", "60"),
        ("gate", "MINIMUM_MACRO_F1", "-1"),
        ("gate", "MAXIMUM_CALIBRATION_ERROR", "5"),
        ("gate", "MAXIMUM_RECALL_DIFFERENCE", "1.01"),
        ("register", "APPROVAL", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_by_name(package, name, value):
    environment = {known: NUMBERS.get(known, "x") for known in EXPECTED[package]}
    with pytest.raises(WrongEnvironmentError, match=name):
        settings_of(package).from_env(environment | {name: value})
