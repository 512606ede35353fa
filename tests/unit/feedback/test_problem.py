import pytest

from feedback.problem import FieldError, Problem


def test_a_problem_document_has_the_members_of_rfc_9457():
    problem = Problem(kind="unusable", detail="No.", errors=(FieldError(pointer="/text", detail="is empty"),))
    assert problem.to_document() == {
        "type": "urn:earshot:problem:unusable",
        "title": "The feedback cannot be used",
        "status": 422,
        "detail": "No.",
        "errors": [{"pointer": "/text", "detail": "is empty"}],
    }


def test_there_are_no_other_kinds():
    with pytest.raises(ValueError, match="no problem kind"):
        Problem(kind="teapot", detail="")
