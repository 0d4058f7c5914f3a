"""Translates the SAM template, named by the first argument, as CloudFormation does it, with SAM's own translator. Prints the
versions of functions that it makes."""
import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoPolicies:
    """The template names no managed policy of AWS."""

    def load(self):
        return {}


template = yaml_parse(open(sys.argv[1]).read())
# What sam package puts in place of local paths.
template["Globals"]["Function"]["CodeUri"] = {"Bucket": "b", "Key": "code"}
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::StateMachine":
        resource["Properties"]["DefinitionUri"] = {"Bucket": "b", "Key": "definition"}
values = {"TenantId": "t", "ReadClientId": "r", "WriteClientId": "w", "AWS::Region": "eu-north-1", "AWS::Partition": "aws", "AWS::AccountId": "123456789012"}
made = transform(template, values, NoPolicies())["Resources"]
print(json.dumps({name: r for name, r in made.items() if r["Type"] == "AWS::Lambda::Version"}))
