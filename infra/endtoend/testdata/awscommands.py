"""Checks commands of the AWS CLI against botocore's models: service, operation, options, required options, values of
enumerations, and queries. Reads a JSON list of argument lists, and prints a line for each fault."""
import json
import sys

import botocore.session
import jmespath
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

SESSION = botocore.session.get_session()
# Options that every command takes.
EVERYWHERE = {"query", "output", "max-items", "profile", "region", "cli-binary-format", "cli-read-timeout"}
# Commands of the CLI that are not operations of a service, with the options that the docs use. True: the option takes no value.
OWN = {
    "s3 cp": {},
    "s3 ls": {"recursive": True, "summarize": True},
    "s3 sync": {},
    "configure set": {},
    "configure get": {},
    "logs tail": {"since": False},
}


def waiters_of(service):
    """The operation that each waiter of a service calls, in the CLI's words."""
    model = SESSION.get_waiter_model(service)
    return {xform_name(n, "-"): xform_name(model.get_waiter(n).operation, "-") for n in model.waiter_names}


def faults(args):
    words = " ".join(args[:2])
    required, enums = set(), {}
    if words in OWN:
        flags, places = OWN[words], 2
    else:
        try:
            model = SESSION.get_service_model("s3" if args[0] == "s3api" else args[0])
        except UnknownServiceError:
            yield "no such service"
            return
        operations = {xform_name(o, "-"): o for o in model.operation_names}
        if args[1] == "wait":
            waiters = waiters_of(args[0])
            if args[2:] and args[2] in waiters:
                yield from faults([args[0], waiters[args[2]], *args[3:]])
            else:
                yield "no such waiter"
            return
        if args[1] not in operations:
            yield "no such operation"
            return
        operation = model.operation_model(operations[args[1]])
        shape = operation.input_shape
        members = shape.members if shape else {}
        flags = {xform_name(m, "-"): s.type_name == "boolean" for m, s in members.items()}
        flags |= {"no-" + name: True for name, flag in flags.items() if flag}
        enums = {xform_name(m, "-"): s.enum for m, s in members.items() if getattr(s, "enum", None)}
        required = {xform_name(m, "-") for m in (shape.required_members if shape else [])}
        places = 1 if operation.has_streaming_output else 0  # the file for the answer
    rest = args[2:]
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            places -= 1
            continue
        name = word[2:]
        required.discard(name)
        if name not in flags and name not in EVERYWHERE:
            yield "no such option: " + word
        if flags.get(name):
            continue
        if not rest or rest[0].startswith("--"):
            yield word + " has no value"
            continue
        value = rest.pop(0)
        if name in enums and value not in enums[name]:
            yield word + " cannot be " + value
        if name == "query":
            jmespath.compile(value)
    if places < 0:
        yield "too many words"
    for name in sorted(required):
        yield "misses --" + name


for command in json.load(sys.stdin):
    for fault in faults(command):
        print("aws", *command, ":", fault)
