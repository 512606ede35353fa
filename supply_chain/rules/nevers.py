"""What each rule of nevers.yaml finds and what it leaves alone. Read by semgrep, never imported."""

# ruff: noqa
import contextlib
import os
import subprocess

# ruleid: no-pickle
import pickle

import numpy
import torch
import yaml

# ok: no-pickle
numpy.load("rows.npy")
# ruleid: no-pickle
numpy.load("rows.npy", allow_pickle=True)
# ruleid: no-pickle
torch.load("model.pt")
# ok: no-pickle
torch.load("model.pt", weights_only=True)


def logs(log, event, feedback):
    # ruleid: no-feedback-text-in-logs
    log.info("came in: %s", event["text"])
    # ruleid: no-feedback-text-in-logs
    log.warning("refused", text=feedback.text)
    # ok: no-feedback-text-in-logs
    log.info("came in: %s", feedback.id)


def swallow(work):
    # ruleid: no-swallowed-exception
    try:
        work()
    except Exception:
        pass
    # ruleid: no-swallowed-exception
    with contextlib.suppress(Exception):
        work()
    # ok: no-swallowed-exception
    try:
        work()
    except FileNotFoundError:
        return None


def run(words):
    # ruleid: no-shell
    subprocess.run(words, shell=True)
    # ok: no-shell
    subprocess.run(["git", "status"])
    # ruleid: no-evaluated-text
    eval(words)
    # ok: no-evaluated-text
    yaml.safe_load(words)


def call(get):
    # ruleid: certificates-are-checked
    get("https://example.com", verify=False)
    # ok: certificates-are-checked
    get("https://example.com")
