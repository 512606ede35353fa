"""The starter model: what the endpoint answers with between the first deploy and the first release of a trained model.

A linear model over words and pairs of neighbouring words, fitted with numpy on sample reviews and a built-in list of
plain words, and written as an ONNX graph. It is packed by the same code and answers by the same containers as a trained
model; its version starts with `starter-`. Equal input gives equal bytes. Needs no torch; knows nothing of CDK or AWS.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from bundles.starter_words import phrases
from feedback.sentiment import CLASSES, LABELS, from_stars
from feedback.text import compose
from training_code.artifacts import build_release, opened, to_json
from training_code.calibration import calibrate
from training_code.containers import vendored
from training_code.containers.tokenization import Tokenization

PAD, UNKNOWN, START, END = PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
SUFFIXES = ("s", "es", "d", "ed", "ing", "ly", "er", "est", "y", "n", "t", "ness", "able", "ful", "less")
MAX_LENGTH = 256
LARGEST_VOCABULARY = 6000
LEAST_COUNT = 2
PAIR_BUCKETS = 1 << 14
PAIR_FACTOR = 7919
STEPS = 250
STEP_SIZE = 0.05
PENALTY = 2e-5
PHRASE_WEIGHT = 1.5
LOWEST_TEMPERATURE = 1.0
DECIMALS = 3
IR_VERSION, OPSET = 8, 17

Classes = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Document:
    text: str
    class_index: int
    weight: float


def build_starter(reviews_csv: Path, serving: Path, output: Path) -> None:
    """Write `{transform,classify,label}.tar.gz` and `manifest.json` into `output`.

    `reviews_csv` has columns title, review_text and rating; `serving` is a folder or archive with the containers' code.
    """
    fitting, held_out = _documents(reviews_csv)
    tokenizer = _tokenizer([document.text for document in fitting])
    tokenization = Tokenization.configured(tokenizer, max_length=MAX_LENGTH, pad_id=PIECES.index(PAD))
    model = _fit(fitting, tokenization)
    logits = model.logits(tokenization.encode([document.text for document in held_out]))
    fitted = calibrate(logits, np.array([document.class_index for document in held_out], dtype=np.int64))
    documents: dict[str, object] = {
        "tokenization.json": {
            "max_length": tokenization.max_length,
            "pad_id": tokenization.pad_id,
            "vocabulary_size": tokenizer.get_vocab_size(),
        },
        "labels.json": {"labels": list(LABELS), "sentiments": [int(sentiment) for sentiment in CLASSES]},
        # Sample reviews are easier than real ones, so the starter may lower its confidence but never raise it.
        "calibration.json": asdict(fitted) | {"temperature": max(fitted.temperature, LOWEST_TEMPERATURE)},
    }
    with tempfile.TemporaryDirectory(prefix="earshot-starter-") as scratch, opened(serving) as code:
        # The self-test asks the graph, by the runtime that travels along: this environment need not have one.
        vendored.put_on_path(code / "classify" / "code" / vendored.FOLDER)
        folder = Path(scratch)
        (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
        (folder / "model.onnx").write_bytes(_graph(model).SerializeToString(deterministic=True))
        for name, document in documents.items():
            (folder / name).write_bytes(to_json(document))
        build_release(folder, code, output, version_prefix="starter")


def _documents(reviews_csv: Path) -> tuple[list[Document], list[Document]]:
    """Nine of ten reviews and the built-in phrases to fit on, the tenth to calibrate on; by hash of the text."""
    fitting: dict[str, Document] = {}
    held_out: dict[str, Document] = {}
    with reviews_csv.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = compose(row["title"], row["review_text"])
            if text:
                is_held_out = hashlib.sha256(text.lower().encode()).digest()[0] < 26
                index = from_stars(int(row["rating"])).class_index
                (held_out if is_held_out else fitting)[text] = Document(text=text, class_index=index, weight=1.0)
    plain = [Document(text=text, class_index=s.class_index, weight=PHRASE_WEIGHT) for text, s in phrases()]
    return [*fitting.values(), *plain], list(held_out.values())


def _tokenizer(texts: list[str]) -> Tokenizer:
    """WordPiece over a vocabulary that is counted, not trained, so that it is the same on every machine.

    Words that are not in it fall into the longest known beginning, common endings and single letters.
    """
    normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    counts = Counter(
        word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)) if len(word) > 1
    )
    frequent = sorted((word for word, count in counts.items() if count >= LEAST_COUNT), key=lambda w: (-counts[w], w))
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = [*PIECES, *letters]
    pieces += [f"##{letter}" for letter in letters] + [f"##{suffix}" for suffix in SUFFIXES if len(suffix) > 1]
    vocabulary = {piece: index for index, piece in enumerate([*pieces, *frequent[:LARGEST_VOCABULARY]])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=50))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        special_tokens=[(START, vocabulary[START]), (END, vocabulary[END])],
    )
    return tokenizer


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """Weights per token [tokens, classes] and per bucket of neighbouring tokens, summed over a text / sqrt(length)."""

    tokens: Weights
    pairs: Weights
    bias: Weights

    def logits(self, ids: list[list[int]]) -> Weights:
        sums = [self.tokens[row].sum(axis=0) + self.pairs[_pairs(np.array(row))].sum(axis=0) for row in ids]
        return np.array(sums) / np.sqrt([[len(row)] for row in ids]) + self.bias


def _pairs(ids: Classes) -> Classes:
    return (ids[:-1] * PAIR_FACTOR + ids[1:]) % PAIR_BUCKETS


def _fit(documents: list[Document], tokenization: Tokenization) -> LinearModel:
    """Multinomial logistic regression by Adam over all documents at once: no shuffling, no randomness."""
    ids = tokenization.encode([document.text for document in documents])
    tokens = tokenization.tokenizer.get_vocab_size()
    features = [np.concatenate([np.array(row), tokens + _pairs(np.array(row))]) for row in ids]
    column = np.concatenate(features)
    owner = np.repeat(np.arange(len(features)), [len(feature) for feature in features])
    value = (1 / np.sqrt([len(row) for row in ids]))[owner]
    truth = np.array([document.class_index for document in documents])
    weight = np.array([document.weight for document in documents])
    frequency = np.bincount(truth, weights=weight) / weight.sum()
    weight = weight / np.sqrt(frequency)[truth]
    weight /= weight.sum()

    size = tokens + PAIR_BUCKETS
    target = np.eye(len(CLASSES))[truth]
    learned = np.zeros((size + 1, len(CLASSES)))
    first, second = np.zeros_like(learned), np.zeros_like(learned)
    for step in range(1, STEPS + 1):
        logits = np.column_stack(
            [np.bincount(owner, weights=value * learned[column, k], minlength=len(ids)) for k in range(len(CLASSES))]
        )
        logits += learned[size]
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = (exponentials / exponentials.sum(axis=1, keepdims=True) - target) * weight[:, None]
        gradient = PENALTY * learned
        for k in range(len(CLASSES)):
            gradient[:size, k] += np.bincount(column, weights=value * error[owner, k], minlength=size)
        gradient[size] = error.sum(axis=0)
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        learned -= STEP_SIZE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    learned = np.round(learned, DECIMALS)
    return LinearModel(tokens=learned[:tokens], pairs=learned[tokens:size], bias=learned[size])


def _graph(model: LinearModel) -> onnx.ModelProto:
    """The same sums as `LinearModel.logits`, over padded batches: input_ids and attention_mask to logits."""
    constants = {
        "tokens": model.tokens.astype(np.float32),
        "pairs": model.pairs.astype(np.float32),
        "bias": model.bias.astype(np.float32),
        "factor": np.array(PAIR_FACTOR, dtype=np.int64),
        "buckets": np.array(PAIR_BUCKETS, dtype=np.int64),
        "zero": np.array([0], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
        "minus_one": np.array([-1], dtype=np.int64),
        "largest": np.array([np.iinfo(np.int64).max], dtype=np.int64),
        "last_axis": np.array([2], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last_axis"], ["token_mask"]),
        helper.make_node("Gather", ["tokens", "input_ids"], ["token_scores"]),
        helper.make_node("Mul", ["token_scores", "token_mask"], ["seen_tokens"]),
        helper.make_node("ReduceSum", ["seen_tokens", "one"], ["token_sum"], keepdims=0),
        helper.make_node("Slice", ["input_ids", "zero", "minus_one", "one"], ["left"]),
        helper.make_node("Slice", ["input_ids", "one", "largest", "one"], ["right"]),
        helper.make_node("Mul", ["left", "factor"], ["scaled_left"]),
        helper.make_node("Add", ["scaled_left", "right"], ["pair_code"]),
        helper.make_node("Mod", ["pair_code", "buckets"], ["pair_bucket"]),
        helper.make_node("Gather", ["pairs", "pair_bucket"], ["pair_scores"]),
        helper.make_node("Slice", ["token_mask", "one", "largest", "one"], ["pair_mask"]),
        helper.make_node("Mul", ["pair_scores", "pair_mask"], ["seen_pairs"]),
        helper.make_node("ReduceSum", ["seen_pairs", "one"], ["pair_sum"], keepdims=0),
        helper.make_node("Add", ["token_sum", "pair_sum"], ["total"]),
        helper.make_node("ReduceSum", ["mask", "one"], ["length"], keepdims=1),
        helper.make_node("Sqrt", ["length"], ["root"]),
        helper.make_node("Div", ["total", "root"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["logits"]),
    ]
    shape = ["batch", "sequence"]
    graph = helper.make_graph(
        nodes,
        "starter",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(CLASSES)])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="earshot")
    made.ir_version = IR_VERSION
    onnx.checker.check_model(made)
    return made
