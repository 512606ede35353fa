"""The model pipeline in the States Language: features, candidates side by side, comparison, gate, registration.

`definition.py` puts the parts together. Every request to SageMaker, every order and every sentence about a failure is
in this package; roles and the CDK are not: each address is given as text.

Query language is JSONata: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""
