"""Templates: what is read, what is refused, how values and references are worked out."""

from pathlib import Path
from textwrap import dedent

import pytest

from policy import UNKNOWN, Pattern, Reference, Template, TemplateError, check
from policy.values import document

QUEUE = "{Type: AWS::SQS::Queue}"


def parse(written: str) -> Template:
    return Template.parse(dedent(written), source="test")


def values(written: str, *, more: str = "") -> list[object]:
    """What the property P of a resource may be."""
    template = parse(
        f"{dedent(more)}\nResources:\n  Queue: {QUEUE}\n  R:\n    Type: T\n    Properties:\n      P: {written}\n"
    )
    return template.resources["R"].values("P")


PARAMETERS = """
    Parameters:
      Open: {Type: String}
      Stage: {Type: String, Default: prod}
      Count: {Type: Number, Default: 3}
      Names: {Type: CommaDelimitedList, Default: "a, b"}
      Only: {Type: String, AllowedValues: [x]}
      Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /path}
    Mappings:
      Sizes: {eu-west-1: {small: 1}, us-east-1: {small: 2}}
    Conditions:
      IsProd: !Equals [!Ref Stage, prod]
      IsOpen: !Equals [!Ref Open, x]
      Neither: !Not [!Or [!Condition IsProd, !Condition IsOpen]]
      Both: !And [!Condition IsProd, !Condition IsOpen]
      Same: !Equals [!Ref AWS::Region, !Ref AWS::Region]
"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("plain", ["plain"]),
        ("!Ref Queue", [Reference("Queue")]),
        ("!GetAtt Queue.Arn", [Reference("Queue", "Arn")]),
        ("{'Fn::GetAtt': Queue.Arn}", [Reference("Queue", "Arn")]),
        ("{'Fn::GetAtt': [Queue, Arn]}", [Reference("Queue", "Arn")]),
        ("!Ref Stage", ["prod"]),
        ("!Ref Count", [3]),
        ("!Ref Names", [["a", "b"]]),
        ("!Ref Only", ["x"]),
        ("!Ref Open", [UNKNOWN]),
        ("!Ref Stored", [UNKNOWN]),
        ("!Ref AWS::NoValue", [None]),
        ("!Ref AWS::Region", [Pattern("${AWS::Region}")]),
        ("!ImportValue x", [UNKNOWN]),
        ("{'Fn::Transform': {Name: x}}", [UNKNOWN]),
        ("!Sub '${Stage}-${Count}'", ["prod-3"]),
        ("!Sub '${Queue.Arn}'", [Reference("Queue", "Arn")]),
        ("!Sub ['${A}/*', {A: !GetAtt Queue.Arn}]", [Pattern("${Queue.Arn}/*")]),
        ("!Sub 'arn:${AWS::Region}:${Open}'", [Pattern("arn:${AWS::Region}:${Open}")]),
        ("!Sub 'kept-${!Literal}'", ["kept-${Literal}"]),
        ("!Join ['-', [a, !Ref Stage, !Ref AWS::NoValue]]", ["a-prod"]),
        ("!Join [',', !Ref Names]", ["a,b"]),
        ("!Join ['', [!Ref Queue]]", [Reference("Queue")]),
        ("!Select [1, !Ref Names]", ["b"]),
        ("!Select [5, !Ref Names]", [UNKNOWN]),
        ("!Select [0, !Split ['/', a/b]]", ["a"]),
        ("!Select [0, !Split [':', !GetAtt Queue.Arn]]", [UNKNOWN]),
        ("!FindInMap [Sizes, eu-west-1, small]", [1]),
        ("!FindInMap [Sizes, !Ref AWS::Region, small]", [1, 2]),
        ("!FindInMap [Sizes, nowhere, small, {DefaultValue: 9}]", [9]),
        ("!FindInMap [Sizes, nowhere, small]", [UNKNOWN]),
        ("!If [IsProd, 2, 1]", [2]),
        ("!If [Neither, 2, 1]", [1]),
        ("!If [Both, 2, 1]", [2, 1]),
        ("!If [Same, 2, 1]", [2]),
        ("!If [IsOpen, 2, !Ref AWS::NoValue]", [2, None]),
        ("!If [IsOpen, !If [IsProd, 3, 4], 1]", [3, 1]),
        ("!If [IsOpen, 2, 2]", [2]),
        ("!Base64 text", ["text"]),
        ("!Cidr [10.0.0.0/16, 2, 8]", [UNKNOWN]),
        ("!GetAZs ''", [UNKNOWN]),
        ("{'Fn::Length': !Ref Names}", [2]),
        ("{'Fn::ToJsonString': {a: !Ref Stage}}", [{"a": "prod"}]),
        ("[1, !If [IsOpen, 2, !Ref AWS::NoValue], 3]", [[1, 2, 3]]),
        ("{A: !If [IsOpen, 2, 1], B: !Ref AWS::NoValue}", [{"A": UNKNOWN}]),
        ("!If [IsProd]", [UNKNOWN]),
        ("!FindInMap [Sizes]", [UNKNOWN]),
        ("!Sub {a: b}", [UNKNOWN]),
        ("2012-10-17", ["2012-10-17"]),
    ],
)
def test_intrinsic_functions_are_worked_out(written: str, expected: list[object]) -> None:
    assert values(written, more=PARAMETERS) == expected


def test_a_path_goes_through_conditions_and_functions() -> None:
    template = parse(
        PARAMETERS
        + """
    Resources:
      R:
        Type: T
        Properties:
          A: !If [IsOpen, {B: [{C: 1}]}, !Ref AWS::NoValue]
          Included: {Fn::Transform: {Name: AWS::Include}, Other: 1}
          Whole: !ImportValue x
    """
    )
    resource = template.resources["R"]
    assert resource.values("A", "B", 0, "C") == [1, None]
    assert resource.value("A", "B") is UNKNOWN
    assert resource.value("Included", "Hidden") is UNKNOWN
    assert resource.value("Whole", "Anything") is UNKNOWN
    assert resource.value("Nothing", "There") is None


def test_references_are_followed_by_logical_id_and_by_name() -> None:
    template = parse(
        """
        Resources:
          Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${AWS::StackName}-jobs"}}
          Named: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
          Worker: {Type: AWS::Lambda::Function, Properties: {FunctionName: worker}}
          Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Worker}}
          Alarm: {Type: T, Properties: {A: [!Sub "${AWS::StackName}-jobs", "https://sqs.eu-west-1.amazonaws.com/0/jobs"]}}
          Other: {Type: T, Properties: {A: "arn:aws:sqs:eu-west-1:0:jobs-elsewhere"}}
        """
    )
    resources = template.resources
    alarm = resources["Alarm"].items("A")
    assert [template.target(value) for value in alarm] == [resources["Jobs"], resources["Named"]]
    assert template.target(resources["Other"].value("A")) is None
    assert template.target(Reference("Live"), "AWS::Lambda::Function") is resources["Worker"]
    assert (
        template.target("arn:aws:lambda:eu-west-1:0:function:worker:live", "AWS::Lambda::Function")
        is resources["Worker"]
    )
    assert template.referrers(resources["Named"], "T") == [resources["Alarm"]]
    assert template.references({"a": [Reference("Jobs"), Pattern("x${Named.Arn}")]}) == {"Jobs", "Named"}
    assert template.is_elsewhere("arn:aws:sqs:eu-west-1:0:nobody")


def test_loops_with_a_known_collection_are_written_out() -> None:
    template = parse(
        """
        Transform: AWS::LanguageExtensions
        Parameters: {Names: {Type: CommaDelimitedList, Default: "One,Two"}, Open: {Type: CommaDelimitedList}}
        Resources:
          Fn::ForEach::Queues:
            - Name
            - !Ref Names
            - Queue${Name}: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "q-${Name}", Tag: !Ref Name}}
          Fn::ForEach::More:
            - Name
            - !Ref Open
            - More${Name}: {Type: AWS::SQS::Queue}
          Last: {Type: T}
        """
    )
    assert list(template.resources) == ["QueueOne", "QueueTwo", "Last"]
    assert template.resources["QueueTwo"].value("QueueName") == "q-Two"
    assert template.resources["QueueTwo"].value("Tag") == "Two"
    assert any("Fn::ForEach::More" in notice for notice in template.notices)


@pytest.mark.parametrize(
    ("written", "notice"),
    [
        ("Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: AWS::Serverless::Function}}", "SAM"),
        ("Transform: [Mine]\nResources: {F: {Type: T}}", "macro Mine"),
        ("Transform: {Name: AWS::Include, Parameters: {Location: x}}\nResources: {F: {Type: T}}", "AWS::Include"),
        ("Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}}", "nested stack S"),
        ("Resources: {M: {Type: My::Own::Thing::MODULE}}", "module"),
        ("Resources: {M: {Type: T, Properties: {Fn::Transform: {Name: AWS::Include}}}}", "properties of M"),
        ("Resources: {Fn::Transform: {Name: AWS::Include}, M: {Type: T}}", "include"),
    ],
)
def test_what_is_not_expanded_is_said(written: str, notice: str) -> None:
    assert any(notice in said for said in parse(written).notices)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no mapping"),
        ("[1, 2]", "no mapping"),
        ("just words", "no mapping"),
        ("{", "not JSON"),
        ('{"Resources": {"A": {"Type": NaN}}}', "NaN"),
        ("a: [", "not YAML"),
        ("a:\n\tb: 1", "not YAML"),
        ("Resources: {}", "no Resources"),
        ("Outputs: {}", "no Resources"),
        ("Resources: []", "no mapping"),
        ("Resources: {A: 1}", "resource A is no mapping"),
        ("Resources: {A: {}}", "no Type"),
        ("Resources: {A: {Type: T, Properties: [1]}}", "Properties"),
        ("Resources: {A: {Type: T}}\nConditions: [1]", "Conditions"),
        ("Resources: {A: {Type: T}, A: {Type: U}}", "twice"),
        ('{"Resources": {"A": {"Type": "T"}, "A": {"Type": "U"}}}', "twice"),
        ("Resources: !Nonsense x", "!Nonsense"),
        ("Resources: !!python/object/apply:os.system [ls]", "not YAML"),
        ("Resources: {A: {Type: T}}\n---\nResources: {}", "not YAML"),
        ("? [a]\n: b", "key"),
        ("a: &a [*a]", "alias"),
        ("a: *nowhere", "not YAML"),
        ("Resources: {A: " + "[" * 300 + "]" * 300 + "}", "deep"),
        ("[" * 100_000, "deep"),
        ('{"a":' * 100_000, "deep"),
        ("{a: " * 50_000, "deep"),
        ('{"a": ' + "9" * 5_000 + "}", "number"),
        ("\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
                   + [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 30)]), "values"),
        ("x" * 6_000_000, "larger"),
        ("\x00\x01", "not YAML"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_in_one_sentence(written: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why) as refused:
        parse(written)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    for name in ("latin.yaml", "nothing.yaml", ""):
        with pytest.raises(TemplateError):
            Template.load(tmp_path / name)


def test_circles_are_found_and_named() -> None:
    found = check(
        parse(
            """
            Conditions: {A: !Condition B, B: !Not [!Condition A]}
            Resources:
              One: {Type: T, Properties: {P: !Ref Two}}
              Two: {Type: T, Properties: {P: !Sub "${Three.Arn}"}}
              Three: {Type: T, DependsOn: One}
              Four: {Type: T, Properties: {P: !If [A, 1, 2]}}
            """
        )
    )
    assert {(finding.rule_id, finding.logical_id) for finding in found} == {
        ("TEMPLATE-01", "One"),
        ("TEMPLATE-01", "A"),
        ("TEMPLATE-01", "B"),
    }
    assert "One -> Two -> Three -> One" in [finding.detail for finding in found]


@pytest.mark.parametrize("broken", ["!Ref Nobody", "!GetAtt Nobody.Arn", "!Sub '${Nobody}'", "!If [Nobody, 1, 2]"])
def test_a_reference_to_nothing_is_found(broken: str) -> None:
    (finding,) = check(parse("Resources: {R: {Type: T, Properties: {P: " + broken + "}}}"))
    assert (finding.rule_id, finding.detail) == ("TEMPLATE-02", "Nobody")


def test_a_chain_as_long_as_a_template_is_walked() -> None:
    chain = {f"R{n}": {"Type": "T", "Properties": {"P": {"Ref": f"R{n + 1}"}}} for n in range(2_000)}
    chain["R2000"] = {"Type": "T", "Properties": {}}
    assert check(Template({"Resources": chain}, source="test")) == []


def test_documents_are_read_from_text_with_open_places() -> None:
    assert document('{"a": 1}') == {"a": 1}
    assert document(Pattern('{"a": "${Queue}"}')) == {"a": Pattern("${Queue}")}
    assert document(Pattern('{"a": ${Queue}}')) is UNKNOWN
    assert document({"a": 1}) == {"a": 1}
    assert document(None) is None


def test_a_statement_that_is_only_a_condition_is_no_function() -> None:
    assert values("{Condition: {Bool: {a: 'true'}}}") == [{"Condition": {"Bool": {"a": "true"}}}]
