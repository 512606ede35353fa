"""The usual ways to serve a classifier with PyTorch, in the training environment: one JSON command a line, one answer.

    python pytorch.py MODEL_FOLDER                commands on stdin, answers on stdout
    python pytorch.py MODEL_FOLDER --port-file F  one worker behind HTTP, as a serving toolkit starts it

- course: the handler of the well-known cloud course on BERT with SageMaker, written anew from its description: each
  message is padded to 128 tokens and goes through the model alone, with gradients recorded.
- pipeline: the default handler of the Hugging Face inference toolkit, which hands one request to
  `transformers.pipeline`.
- eager: what a careful author writes: one request at its own length, no gradients.
- logits: many rows at once in fp32, as the truth that others are compared with.

Knows nothing of this project; the model folder is one that `transformers` wrote, with its `tokenizer.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import torch
import transformers

MAX_LENGTH = 128
BATCH = 32


class Model:
    def __init__(self, folder: str) -> None:
        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=f"{folder}/tokenizer.json",
            model_max_length=MAX_LENGTH,
            pad_token="[PAD]",  # noqa: S106
            model_input_names=["input_ids", "attention_mask"],
        )
        self.model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()  # nosec B615
        self.pipeline = transformers.pipeline("text-classification", model=self.model, tokenizer=self.tokenizer)

    def course(self, texts: list[str]) -> list[list[float]]:
        """Probabilities, message by message."""
        answers = []
        for text in texts:
            encoded = self.tokenizer(
                text,
                max_length=MAX_LENGTH,
                add_special_tokens=True,
                return_token_type_ids=False,
                padding="max_length",
                return_attention_mask=True,
                return_tensors="pt",
                truncation=True,
            )
            output = self.model(encoded["input_ids"], encoded["attention_mask"])
            answers.append(torch.softmax(output[0], dim=1)[0].tolist())
        return answers

    def answer(self, body: bytes) -> bytes:
        """A request as the toolkit's default handler takes it: `{"inputs": text}` in, labels and scores out."""
        return json.dumps(self.pipeline(json.loads(body)["inputs"], truncation=True, max_length=MAX_LENGTH)).encode()

    def eager(self, texts: list[str]) -> list[float]:
        """Milliseconds of each request."""
        taken = []
        for text in texts:
            started = time.perf_counter()
            with torch.inference_mode():
                encoded = self.tokenizer(text, max_length=MAX_LENGTH, truncation=True, return_tensors="pt")
                torch.softmax(self.model(**encoded).logits, dim=1)[0].tolist()
            taken.append((time.perf_counter() - started) * 1000)
        return taken

    def logits(self, texts: list[str]) -> list[list[float]]:
        """fp32 logits of all rows, in batches of like length."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found: list[list[float]] = [[]] * len(texts)
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                places = order[start : start + BATCH]
                encoded = self.tokenizer(
                    [texts[place] for place in places],
                    max_length=MAX_LENGTH,
                    truncation=True,
                    padding=True,
                    return_tensors="pt",
                )
                for place, row in zip(places, self.model(**encoded).logits.tolist(), strict=True):
                    found[place] = row
        return found


def obey(model: Model) -> None:
    """Answer commands until stdin ends. What a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps({"threads": torch.get_num_threads(), "torch": torch.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        command, texts = json.loads(line)
        if command == "pipeline":
            result: Any = [json.loads(model.answer(json.dumps({"inputs": text}).encode())) for text in texts]
        else:
            result = {"course": model.course, "eager": model.eager, "logits": model.logits}[command](texts)
        print(json.dumps(result), file=answers, flush=True)


def serve(model: Model, port_file: Path) -> None:
    """One request at a time, as one worker of a toolkit; its front end's own cost is left out, in its favour."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = model.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Requests are not logged."""

    class Server(HTTPServer):
        request_queue_size = 128

    model.answer(json.dumps({"inputs": "warm"}).encode())
    server = Server(("127.0.0.1", 0), Handler)
    draft = port_file.with_suffix(".draft")
    draft.write_text(str(server.server_port))
    draft.rename(port_file)
    server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--port-file", type=Path)
    arguments = parser.parse_args()
    model = Model(arguments.model)
    if arguments.port_file:
        serve(model, arguments.port_file)
    else:
        obey(model)


if __name__ == "__main__":
    main()
