"""Replaces a template's intrinsic functions by example values, so that a request in it reads as AWS would get it."""

from typing import Any

PSEUDO = {
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}


def example(value: Any) -> Any:
    """The value with every reference replaced. A name stands for a name, an ARN for an ARN."""
    if isinstance(value, list):
        return [example(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref":
            return PSEUDO.get(argument, _name(argument))
        if function == "Fn::GetAtt":
            return _attribute(*(argument if isinstance(argument, list) else argument.split(".", 1)))
        if function == "Fn::GetStackOutput":
            return _output(argument["OutputName"])
        if function == "Fn::Join":
            return argument[0].join(example(argument[1]))
        if function == "Fn::Sub":
            text = argument
            for name, replacement in PSEUDO.items():
                text = text.replace(f"${{{name}}}", replacement or "")
            return text
        if function == "Fn::If":
            return example(argument[1])
    return {name: example(item) for name, item in value.items()}


def _name(logical_id: str) -> str:
    return f"example-{logical_id.lower()}"[:60]


def _attribute(logical_id: str, attribute: str) -> str:
    if attribute.endswith("Arn"):
        return f"arn:aws:iam::000000000000:role/{_name(logical_id)}"
    return _name(logical_id)


def _output(name: str) -> str:
    return _attribute(name, "Arn" if name[:-8].endswith("Arn") else "Name")
