"""Every name of ministack that this project relies on, in one place, and a check that they are what they were.

The rest of the adapter is typed and calls these functions. ministack has no plugin interface, so its version is
pinned exactly and :func:`verify` fails with a plain message where a name or a signature moved. Knows no AWS service
in particular.
"""

import asyncio
import contextlib
import contextvars
import copy
import importlib
import inspect
import json
import queue
import re
import shutil
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping
from typing import Any, Protocol

from local.preflight import Refusal

Properties = dict[str, Any]
Attributes = dict[str, Any]
Created = tuple[str, Attributes]
Answer = tuple[int, dict[str, str], bytes]
ServiceHandler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Answer]]
Task = Callable[[str, dict[str, Any]], Any]
ASGI = Callable[[Any, Any, Any], Awaitable[None]]

_SERVICES = "ministack.services"
_PROVISIONERS = f"{_SERVICES}.cloudformation.provisioners"
_ENGINE = f"{_SERVICES}.cloudformation.stacks"
_STEP_FUNCTIONS = f"{_SERVICES}.stepfunctions"
_EVENTS = f"{_SERVICES}.eventbridge"
_LOGS = f"{_SERVICES}.cloudwatch_logs"
_METRICS = f"{_SERVICES}.cloudwatch"
_GLUE = f"{_SERVICES}.glue"
_ATHENA = f"{_SERVICES}.athena"
_REST_APIS = f"{_SERVICES}.apigateway_v1"
_ROUTER = "ministack.core.router"
_WORKERS = "ministack.core.lambda_runtime"
_FUNCTIONS = f"{_SERVICES}.lambda_svc"
_TABLES = f"{_SERVICES}.dynamodb"
_RESPONSES = "ministack.core.responses"
_ACTIONS = "ministack.core.iam_actions"
_EVALUATOR = "ministack.core.iam_evaluator"
_SESSIONS = f"{_SERVICES}.sts"

# Where a name is a function, the parameters by which it is called or replaced; None where it is a value.
_EXPECTED: dict[str, dict[str, tuple[str, ...] | None]] = {
    "ministack.app": {
        "app": ("scope", "receive", "send"),
        "SERVICE_HANDLERS": None,
        "_build_persistence_save_dict": (),
        "_load_persisted_state": (),
        "AUTH": None,
        "pin_request_origin": ("source_ip", "secure_transport"),
    },
    "ministack.core.persistence": {"save_all": ("services",), "PERSIST_STATE": None},
    _ROUTER: {"_is_aws_service_name": ("scope_name",)},
    _RESPONSES: {"request_scope": ("account_id", "region"), "get_account_id": (), "get_region": ()},
    _PROVISIONERS: {
        "_RESOURCE_HANDLERS": None,
        "_NAME_SEED": None,
        "_physical_name": ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
    },
    _ENGINE: {"_runs_on_worker_thread": ("resource_type",)},
    _STEP_FUNCTIONS: {
        "_SERVICE_DISPATCH": None,
        "_AWS_SDK_SERVICE_MAP": None,
        "_invoke_aws_sdk_integration": ("resource", "input_data"),
        "_ExecutionError": ("error", "cause"),
        "_execute_task": ("state_def", "raw_input", "execution", "ctx"),
        "_invoke_resource": ("resource", "input_data"),
        "_state_machines": None,
    },
    _ACTIONS: {
        "SERVICE_TO_IAM_NAMESPACE": None,
        "_BOTOCORE_SERVICE_MAP": None,
        "extract_iam_action": ("service", "method", "path", "headers", "body", "query_params"),
        "extract_resource_arn": (
            "service",
            "method",
            "path",
            "headers",
            "body",
            "query_params",
            "region",
            "account_id",
        ),
    },
    _EVALUATOR: {
        "enforce": ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
        "_gather_role_policies": ("role_name", "account_id"),
        "evaluate": ("ctx", "policies", "limits"),
        "_role_name_from_assumed_arn": ("assumed_arn",),
    },
    _SESSIONS: {"register_session": ("access_key", "session"), "_sessions": None},
    _EVENTS: {
        "_put_events": ("data", "allow_aws_source"),
        "_invoke_target": ("target", "event", "rule", "view"),
    },
    _LOGS: {"_append_log_events": ("stream", "events")},
    _METRICS: {
        "record_metric": ("namespace", "metric_name", "value", "unit", "dimensions"),
        "_alarms": None,
        "_evaluate_alarm": ("alarm",),
        "_set_alarm_state": ("params", "cbor_data", "is_cbor", "is_json"),
        "_composite_alarms": None,
        "_metrics": None,
        "_evict_old_metrics": (),
        "_store_datum": ("namespace", "name", "dims", "ts", "unit", "value", "values", "counts", "stat_values"),
        "TWO_WEEKS_SECONDS": None,
        "_dims_key": ("dims",),
        "_dims_from_list": ("dimensions",),
        "_calc_stats": ("points",),
        "_stat_value": ("stats", "stat_name", "points"),
        "cloudformation_put_metric_alarm": ("alarm",),
        "cloudformation_set_metric_alarm_tags": ("name", "tags"),
    },
    _GLUE: {"_crawlers": None, "_start_crawler": ("data",), "_get_crawler_metrics": ("data",)},
    _ATHENA: {
        "_run_duckdb": ("query", "database", "catalog"),
        "_rewrite_data_paths": ("query", "database", "catalog"),
        "_table_relation": ("table_data", "files"),
        "_DUCKDB_TYPE_MAP": None,
        "_executions": None,
        "_save_query_results": ("query_id",),
    },
    _REST_APIS: {
        "_check_request_validation": ("method_obj", "api_id", "request", "headers", "body", "query_params"),
        "_gateway_error_response": ("error", "request"),
        "_model_schema": ("api_id", "model_name"),
    },
    _FUNCTIONS: {
        "_match_esm_filter": ("record", "pattern"),
        "_execute_function_warm": ("func", "event", "request_id"),
        "_dynamodb_stream_positions": None,
        "_esms": None,
        "_functions": None,
    },
    _TABLES: {
        "get_state": (),
        "load_persisted_state": ("data",),
        "stream_end_position": ("table_name", "account_id", "region"),
        "_stream_records": None,
        "_stream_trimmed": None,
    },
    _WORKERS: {
        "_PYTHON_WORKER_SCRIPT": None,
        "_NODEJS_WORKER_SCRIPT": None,
        "_workers": None,
        "Worker": ("func_name", "config", "code_zip"),
        "reset": (),
        "invalidate_worker": ("func_name", "qualifier", "account", "region"),
    },
}

# The lines of the Lambda worker's script that the adapter extends.
_SCRIPT_ANCHORS = (
    "_real_stdout = sys.stdout",
    '_real_stdout.write(json.dumps({"status": "ok", "result": result})',
    '_real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})',
)


def verify() -> None:
    """Refuse to start where ministack is not the one that this adapter was written for."""
    for module_name, names in _EXPECTED.items():
        module = _module(module_name)
        for name, parameters in names.items():
            if not hasattr(module, name):
                raise Refusal(_moved(f"{module_name}.{name} is gone"))
            if parameters is not None and (found := _parameters(getattr(module, name))) != parameters:
                raise Refusal(_moved(f"{module_name}.{name} takes {found}, not {parameters}"))
    worker = _module(_WORKERS).Worker
    if not hasattr(worker, "_drain_stderr_bounded"):
        raise Refusal(_moved("the Lambda worker drains its log in another way"))
    for anchor in _SCRIPT_ANCHORS:
        if _module(_WORKERS)._PYTHON_WORKER_SCRIPT.count(anchor) != 1:
            raise Refusal(_moved(f"the Lambda worker's script has no line {anchor!r}"))


def _moved(what: str) -> str:
    return f"the installed ministack is not the one this adapter fits: {what}. Run `make setup` to install it again."


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        raise Refusal(_moved(str(problem))) from None


def _parameters(function: Any) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


# --- the process -------------------------------------------------------------------------------------------------


def application() -> ASGI:
    """ministack's own ASGI application, lifespan included."""
    app: ASGI = _module("ministack.app").app
    return app


def register_service(name: str, handler: ServiceHandler) -> None:
    """Answer the requests that are signed for ``name``.

    The router would look through all of botocore's models for a name that it does not know, for seconds, on the
    event loop.
    """
    _module("ministack.app").SERVICE_HANDLERS[name] = handler
    router = _module(_ROUTER)
    native: Callable[[str], bool] = router._is_aws_service_name
    router._is_aws_service_name = lambda scope_name: scope_name == name or native(scope_name)


def save_state() -> None:
    """Write every service's state to disk, as ministack does at a clean stop."""
    app = _module("ministack.app")
    _module("ministack.core.persistence").save_all(app._build_persistence_save_dict())


def keep_streams() -> None:
    """Save the records of DynamoDB's streams with the tables.

    ministack keeps how far each consumer has read, but not the records: after a restart a consumer would wait for the
    stream to grow past its old place, and miss everything until then.
    """
    app, tables = _module("ministack.app"), _module(_TABLES)
    get_state: Callable[[], dict[str, Any]] = tables.get_state
    load_tables: Callable[[dict[str, Any]], None] = tables.load_persisted_state
    load_all: Callable[[], None] = app._load_persisted_state

    def get_state_with_streams() -> dict[str, Any]:
        streams = {name: copy.deepcopy(getattr(tables, name)) for name in ("_stream_records", "_stream_trimmed")}
        return {**get_state(), **streams}

    def load_tables_and_streams(data: dict[str, Any]) -> None:
        load_tables(data)
        for name in ("_stream_records", "_stream_trimmed"):
            getattr(tables, name).update((data or {}).get(name, {}))

    def load_all_in_step() -> None:
        load_all()
        _step_back_to_the_streams_ends()

    tables.get_state = get_state_with_streams
    tables.load_persisted_state = load_tables_and_streams
    app._load_persisted_state = load_all_in_step


def _step_back_to_the_streams_ends() -> None:
    """After a kill a consumer's place may be saved later than its stream: nothing that comes now may be passed over."""
    tables, functions = _module(_TABLES), _module(_FUNCTIONS)
    positions = functions._dynamodb_stream_positions
    for (account, region, mapping), position in list(positions.all_items()):
        source = functions._esms.get_scoped(account, region, mapping)
        if source is not None:
            table = source["EventSourceArn"].split("/")[1]
            end = tables.stream_end_position(table, account_id=account, region=region)
            positions.set_scoped(account, region, mapping, min(position, end))


def end_lambda_workers() -> None:
    """End every Lambda worker process and remove its files."""
    _module(_WORKERS).reset()


def end_lambda_workers_of(function: str) -> None:
    """End the worker processes of one function of the account and region in scope."""
    account, region = current_scope()
    _module(_WORKERS).invalidate_worker(function, account=account, region=region)


def lambda_processes() -> list[tuple[int, str]]:
    """Process id and function name of every Lambda worker that runs."""
    pools: Mapping[str, list[Any]] = dict(_module(_WORKERS)._workers)
    workers = [worker for pool in pools.values() for worker in list(pool)]
    return [(worker._proc.pid, worker.func_name) for worker in workers if worker._proc is not None]


@contextlib.contextmanager
def request_scope(account: str, region: str) -> Iterator[None]:
    """Inside, ministack's stores are those of this account and region."""
    with _module(_RESPONSES).request_scope(account, region):
        yield


# --- CloudFormation ----------------------------------------------------------------------------------------------


class ResourceType(Protocol):
    """One resource type of CloudFormation; a raised exception becomes the resource's failure reason."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make the resource; its physical id and attributes."""

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Change it; another physical id means a replacement, whose predecessor the engine deletes afterwards."""

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Remove it; fine where it is gone already."""


def register_resource(name: str, resource: ResourceType) -> None:
    """Provision this type from now on; whatever ministack had for it is replaced."""
    _handlers()[name] = {
        "create": resource.create,
        "update": resource.update,
        "update_with_logical_id": True,
        "delete": resource.delete,
    }


def resource(name: str) -> ResourceType:
    """ministack's own provisioner of a type, in the same form."""
    return _Native(name, _handlers()[name])


def _handlers() -> MutableMapping[str, dict[str, Any]]:
    handlers: MutableMapping[str, dict[str, Any]] = _module(_PROVISIONERS)._RESOURCE_HANDLERS
    return handlers


class _Native:
    def __init__(self, name: str, handler: Mapping[str, Any]) -> None:
        self._name = name
        self._handler = dict(handler)

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        created: Created = self._handler["create"](logical_id, properties, stack)
        return created

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        if "update" not in self._handler:
            return self.create(logical_id, new, stack)
        extra = (logical_id,) if self._handler.get("update_with_logical_id") else ()
        updated: Created = self._handler["update"](physical_id, old, new, stack, *extra)
        return updated

    def delete(self, physical_id: str, properties: Properties) -> None:
        self._handler["delete"](physical_id, properties)


def provision_on_worker_threads(ours: Callable[[str], bool]) -> None:
    """Handlers that call back over HTTP would wait for themselves on the event loop."""
    engine = _module(_ENGINE)
    native: Callable[[str], bool] = engine._runs_on_worker_thread
    engine._runs_on_worker_thread = lambda resource_type: ours(resource_type) or native(resource_type)


def observe_provisioning(observe: Callable[[str, str, Properties], None]) -> None:
    """Call ``observe(resource type, logical id, properties)`` before each resource is created or updated."""
    engine = _module(_ENGINE)
    provision, update = engine._provision_resource, engine._update_resource

    def observed_provision(resource_type: str, logical_id: str, properties: Properties, *rest: Any) -> Created:
        observe(resource_type, logical_id, properties)
        created: Created = provision(resource_type, logical_id, properties, *rest)
        return created

    def observed_update(
        resource_type: str, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str, *rest: Any
    ) -> Created:
        observe(resource_type, logical_id, new)
        updated: Created = update(resource_type, physical_id, old, new, stack, logical_id, *rest)
        return updated

    engine._provision_resource, engine._update_resource = observed_provision, observed_update


def physical_name(stack: str, logical_id: str, *, longest: int) -> str:
    """The generated name of a resource: stable for one stack and logical id until the resource is replaced."""
    name: str = _module(_PROVISIONERS)._physical_name(stack, logical_id, max_len=longest)
    return name


def draw_new_physical_name(seed: str) -> None:
    """From now on in this provisioning, generated names differ: the resource is being replaced."""
    _module(_PROVISIONERS)._NAME_SEED.set(seed)


# --- Step Functions ----------------------------------------------------------------------------------------------


def task_failure(error: str, cause: str) -> Exception:
    """What a task raises to fail with an error name that Retry and Catch can match."""
    failure: Exception = _module(_STEP_FUNCTIONS)._ExecutionError(error, cause)
    return failure


def sdk_services() -> frozenset[str]:
    """The services that ministack itself calls from ``aws-sdk`` tasks, by the name in the task's ARN."""
    return frozenset(_module(_STEP_FUNCTIONS)._AWS_SDK_SERVICE_MAP)


def register_task(prefix: str, task: Task) -> None:
    """Run the tasks whose resource ARN begins so; the task gets the whole ARN and the effective input."""
    _module(_STEP_FUNCTIONS)._SERVICE_DISPATCH[prefix] = task


def register_sdk_task(takes: Callable[[str], bool], task: Task) -> None:
    """Run the ``aws-sdk`` tasks that ``takes`` accepts by their ARN; ministack keeps the others."""
    step_functions = _module(_STEP_FUNCTIONS)
    native: Task = step_functions._invoke_aws_sdk_integration

    def dispatch(resource: str, data: dict[str, Any]) -> Any:
        return task(resource, data) if takes(resource) else native(resource, data)

    step_functions._invoke_aws_sdk_integration = dispatch


# --- events, logs and metrics ------------------------------------------------------------------------------------


def put_aws_event(account: str, region: str, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
    """Put one event of an AWS service on the default bus, which nobody may do over the wire."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": []}
    with request_scope(account, region):
        _module(_EVENTS)._put_events({"Entries": [entry]}, allow_aws_source=True)


def observe_log_events(observe: Callable[[list[dict[str, Any]]], None]) -> None:
    """Call ``observe`` with every batch of log events that any log stream receives."""
    logs = _module(_LOGS)
    native: Callable[[Any, list[dict[str, Any]]], None] = logs._append_log_events

    def append(stream: Any, events: list[dict[str, Any]]) -> None:
        native(stream, events)
        observe(events)

    logs._append_log_events = append


def record_metric(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """One data point, now."""
    _module(_METRICS).record_metric(namespace, name, value, unit, dimensions)


def record_metric_values(
    namespace: str, name: str, values: Mapping[float, int], unit: str, dimensions: dict[str, str]
) -> None:
    """Data points of now: each value as often as it was seen."""
    seen, counts = list(values), [float(count) for count in values.values()]
    _module(_METRICS)._store_datum(namespace, name, dimensions, time.time(), unit, None, seen, counts, None)


def keep_metrics_recorded_meanwhile() -> None:
    """Drop old data points in place: ministack's copy of a list loses what another thread records in that moment."""
    metrics = _module(_METRICS)

    def evict() -> None:
        cutoff = time.time() - metrics.TWO_WEEKS_SECONDS
        for points in list(metrics._metrics._data.values()):
            old = next((index for index, point in enumerate(points) if point["Timestamp"] >= cutoff), len(points))
            del points[:old]

    metrics._evict_old_metrics = evict


def replace_alarm_evaluation(
    decide: Callable[[dict[str, Any], Callable[..., float | None]], tuple[str, str] | None],
) -> None:
    """Let ``decide(alarm, statistic)`` say an alarm's state and its reason; ministack then acts on a change, once."""
    metrics = _module(_METRICS)
    changing: set[str] = set()
    lock = threading.Lock()

    def evaluate(alarm: dict[str, Any]) -> None:
        decided = decide(alarm, statistic)
        if decided is None or decided[0] == alarm["StateValue"]:
            return
        name, (state, reason) = alarm["AlarmName"], decided
        with lock:
            if name in changing:
                return
            changing.add(name)
        try:
            if state != alarm["StateValue"]:
                metrics._set_alarm_state({}, {"AlarmName": name, "StateValue": state, "StateReason": reason}, True)
        finally:
            changing.discard(name)

    metrics._evaluate_alarm = evaluate


def statistic(metric: Mapping[str, Any], period: int, name: str, start: float, end: float) -> float | None:
    """A statistic of a metric, by its dimensions exactly, after ``start`` and up to ``end``; None without data."""
    metrics = _module(_METRICS)
    dimensions = metrics._dims_key(metrics._dims_from_list(metric.get("Dimensions") or []))
    points = metrics._metrics.get((metric["Namespace"], metric["MetricName"], dimensions)) or []
    recent = [point for point in list(points) if start < point["Timestamp"] <= end]
    statistics = metrics._calc_stats(recent)
    value: float | None = metrics._stat_value(statistics, name, recent) if statistics else None
    return value


def evaluate_alarms() -> None:
    """Look at every alarm of every account and region."""
    metrics = _module(_METRICS)
    for account, region in {key[:2] for key in list(metrics._alarms._data)}:
        with request_scope(account, region):
            for alarm in list(metrics._alarms.values()):
                metrics._evaluate_alarm(alarm)


def alarm_states(names: Collection[str]) -> dict[str, str]:
    """The states of those alarms in scope that exist, evaluated now."""
    metrics = _module(_METRICS)
    has_composite = any(name in metrics._composite_alarms for name in names)
    for alarm in list(metrics._alarms.values()):
        if has_composite or alarm["AlarmName"] in names:
            metrics._evaluate_alarm(alarm)
    found = {name: metrics._alarms.get(name) or metrics._composite_alarms.get(name) for name in names}
    return {name: alarm["StateValue"] for name, alarm in found.items() if alarm}


def put_metric_math_alarm(request: Mapping[str, Any]) -> None:
    """Store an alarm on metric math, by PutMetricAlarm's members; its state is kept where it was there before."""
    metrics = _module(_METRICS)
    account, region = current_scope()
    name = request["AlarmName"]
    known = metrics._alarms.get(name, {})
    now = int(time.time())
    metrics.cloudformation_put_metric_alarm(
        {
            "AlarmArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
            "StateValue": known.get("StateValue", "INSUFFICIENT_DATA"),
            "StateReason": known.get("StateReason", "Unchecked: Initial alarm creation"),
            "StateUpdatedTimestamp": known.get("StateUpdatedTimestamp", now),
            "AlarmConfigurationUpdatedTimestamp": now,
            "ActionsEnabled": True,
            "AlarmActions": [],
            "OKActions": [],
            "InsufficientDataActions": [],
            "TreatMissingData": "missing",
            **{member: value for member, value in request.items() if member != "Tags"},
        }
    )
    metrics.cloudformation_set_metric_alarm_tags(name, list(request.get("Tags", [])))


# --- Lambda ------------------------------------------------------------------------------------------------------

_END_OF_LOG = "\x1dearshot-end-of-invocation"
_LOG_DEADLINE_SECONDS = 0.25

# The last line of a traceback: the exception's class, its message if it has one.
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)

_PARENT_WATCH = """
import os as _w_os, threading as _w_threading, time as _w_time
def _w_watch(parent):
    while _w_os.getppid() == parent:
        _w_time.sleep(1)
    _w_os._exit(1)
_w_threading.Thread(target=_w_watch, args=(_w_os.getppid(),), daemon=True).start()
"""

_NODE_PARENT_WATCH = """
{ const parent = process.ppid; setInterval(() => { if (process.ppid !== parent) process.exit(1); }, 1000).unref(); }
"""


def tighten_lambda_workers() -> None:
    """Workers mark the end of an invocation's log, and end with the local AWS even in the middle of a handler.

    ministack waits 50 ms for a handler that logs nothing, and may cut off the log of one that does: with the mark
    the log is complete as soon as it is read.
    """
    runtime = _module(_WORKERS)
    mark = f"print({_END_OF_LOG!r}, file=sys.stderr, flush=True); "
    script: str = runtime._PYTHON_WORKER_SCRIPT
    for answer in _SCRIPT_ANCHORS[1:]:
        script = script.replace(answer, mark + answer)
    runtime._PYTHON_WORKER_SCRIPT = _PARENT_WATCH + script
    runtime._NODEJS_WORKER_SCRIPT = runtime._NODEJS_WORKER_SCRIPT + _NODE_PARENT_WATCH
    native: Callable[[Any], str] = runtime.Worker._drain_stderr_bounded

    def drain(worker: Any) -> str:
        if not worker.config.get("Runtime", "").startswith("python"):
            return native(worker)
        return _read_to_mark(worker._stderr_queue)

    runtime.Worker._drain_stderr_bounded = drain


def name_lambda_errors() -> None:
    """A handler's exception carries its own class name, as Retry and Catch in a state machine expect."""
    functions = _module(_FUNCTIONS)
    native: Callable[..., dict[str, Any]] = functions._execute_function_warm

    def execute(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        result = native(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            raised = _RAISED.findall(result.get("log", ""))
            if raised:
                body["errorType"] = raised[-1].rpartition(".")[2]
        return result

    functions._execute_function_warm = execute


def find_nothing_in_absent_branches() -> None:
    """A filter of an event source asks below an attribute that a record lacks: there `exists: false` holds, as on AWS,
    where ministack lets no pattern match at all."""
    functions = _module(_FUNCTIONS)
    native: Callable[[dict[str, Any], dict[str, Any]], bool] = functions._match_esm_filter

    def with_branches(record: Mapping[str, Any], pattern: Mapping[str, Any]) -> dict[str, Any]:
        below = {
            key: with_branches(found if isinstance(found := record.get(key), dict) else {}, asked)
            for key, asked in pattern.items()
            if isinstance(asked, dict)
        }
        return {**record, **below}

    functions._match_esm_filter = lambda record, pattern: native(with_branches(record, pattern), pattern)


def _read_to_mark(lines: "queue.Queue[str]") -> str:
    read: list[str] = []
    deadline = time.monotonic() + _LOG_DEADLINE_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        text = line.removesuffix(_END_OF_LOG)
        if text or text == line:
            read.append(text)
        if text != line:
            break
    return "\n".join(read)


# --- API Gateway -------------------------------------------------------------------------------------------------


def explain_refused_bodies(explain: Callable[[Any, bytes | str], str], fill_in: Callable[[bytes, str], bytes]) -> None:
    """Where a body breaks its model, ``explain(schema, body)`` says how and ``fill_in`` puts that into the answer."""
    apis = _module(_REST_APIS)
    check: Callable[..., Any] = apis._check_request_validation
    render: Callable[..., Answer] = apis._gateway_error_response

    def explained_check(
        method: Mapping[str, Any], api: str, request: Any, headers: Any, body: bytes | str, query: Any
    ) -> Any:
        error = check(method, api, request, headers, body, query)
        if error is not None and error.response_type == "BAD_REQUEST_BODY":
            model = (method.get("requestModels") or {}).get("application/json")
            error.explanation = explain(apis._model_schema(api, model), body)
        return error

    def explained_render(error: Any, request: Any) -> Answer:
        status, headers, body = render(error, request)
        return status, headers, fill_in(body, getattr(error, "explanation", ""))

    apis._check_request_validation, apis._gateway_error_response = explained_check, explained_render


# --- Glue and Athena ---------------------------------------------------------------------------------------------


def crawlers() -> MutableMapping[str, dict[str, Any]]:
    """The crawlers of the account and region in scope, as stored; change one in place to change its state."""
    stored: MutableMapping[str, dict[str, Any]] = _module(_GLUE)._crawlers
    return stored


def all_crawlers() -> list[dict[str, Any]]:
    """The crawlers of every account and region, as stored."""
    return list(_module(_GLUE)._crawlers._data.values())


def replace_crawler_operations(
    *, start: Callable[[dict[str, Any]], Answer], metrics: Callable[[dict[str, Any]], Answer]
) -> None:
    """Answer StartCrawler and GetCrawlerMetrics; both run on the event loop inside the caller's scope."""
    glue = _module(_GLUE)
    glue._start_crawler, glue._get_crawler_metrics = start, metrics


def current_scope() -> tuple[str, str]:
    """Account and region of the request that is being answered."""
    responses = _module(_RESPONSES)
    return responses.get_account_id(), responses.get_region()


class QueryRunner(Protocol):
    """Runs one query whose tables are already relations over local files."""

    def __call__(self, sql: str) -> tuple[list[str], list[str], list[list[Any]]]:
        """Column names, DuckDB type names and rows."""


def replace_query_engine(
    run: QueryRunner, answer: Callable[[str, str], tuple[list[str], list[list[str]]] | None]
) -> None:
    """Run Athena's queries with ``run``; ministack still finds the tables and their files.

    ``answer(statement, database)`` is asked first, and answers statements that are no queries.
    """
    athena = _module(_ATHENA)

    async def run_duckdb(query: str, database: str, catalog: str | None = None) -> dict[str, Any]:
        answered = await asyncio.to_thread(answer, query, database)
        if answered is not None:
            return {"columns": answered[0], "column_types": ["varchar"] * len(answered[0]), "rows": answered[1]}
        sql, _, folders = await athena._rewrite_data_paths(query, database, catalog)
        try:
            columns, types, rows = await asyncio.to_thread(run, sql)
        finally:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
        known = athena._DUCKDB_TYPE_MAP
        names = [known.get(name.upper().split("(")[0].strip(), "varchar") for name in types]
        return {"columns": columns, "column_types": names, "rows": rows}

    athena._run_duckdb = run_duckdb


def place_query_results() -> None:
    """Put the result of a query where GetQueryExecution says it is; ministack makes a folder of that name instead."""
    athena = _module(_ATHENA)
    native: Callable[[str], Awaitable[None]] = athena._save_query_results

    async def save(query_id: str) -> None:
        result = athena._executions[query_id]["ResultConfiguration"]
        location: str = result["OutputLocation"]
        result["OutputLocation"] = location.removesuffix(f"{query_id}.csv")
        try:
            await native(query_id)
        finally:
            result["OutputLocation"] = location

    athena._save_query_results = save


def replace_table_relation(relation: Callable[[Mapping[str, Any], list[str], Callable[..., str]], str]) -> None:
    """Write the relation that stands for a table; ``relation`` gets the table, its files and ministack's writer."""
    athena = _module(_ATHENA)
    native: Callable[..., str] = athena._table_relation
    athena._table_relation = lambda table_data, files: relation(table_data, files, native)


# --- IAM ---------------------------------------------------------------------------------------------------------


class FindResource(Protocol):
    """Names the ARN of one request, where ministack cannot."""

    def __call__(self, service: str, operation: str, path: str, body: bytes) -> str | None:
        """The ARN, or None to leave it to ministack."""


class ObserveDecision(Protocol):
    """Is told of each decision on a call that a role made."""

    def __call__(self, role: str, action: str, resource: str, *, allowed: bool) -> None: ...


def take_loopback_for_tls() -> None:
    """Policies that deny what is not encrypted on its way would deny all: nothing leaves this machine."""
    app = _module("ministack.app")
    native: Callable[[str, bool], None] = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, secure_transport: native(source_ip, True)


def name_iam_actions(service: str, namespace: str, rest_models: Collection[str] = ()) -> None:
    """Judge the requests of a service, too; ``rest_models`` are botocore's models whose paths tell the operation."""
    actions = _module(_ACTIONS)
    actions.SERVICE_TO_IAM_NAMESPACE[service] = namespace
    if rest_models:
        actions._BOTOCORE_SERVICE_MAP[service] = list(rest_models)


def rename_iam_actions(names: Mapping[str, str]) -> None:
    """Judge an operation by another action than its own name."""
    actions = _module(_ACTIONS)
    native: Callable[..., str | None] = actions.extract_iam_action

    def extract(service: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> str | None:
        action = native(service, method, path, headers, body, query)
        return names.get(action, action) if action else None

    actions.extract_iam_action = extract


def name_iam_resources(find: FindResource) -> None:
    """Ask ``find`` first for the resource that a request is about."""
    actions = _module(_ACTIONS)
    native: Callable[..., str] = actions.extract_resource_arn

    def extract(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        action: str = actions.extract_iam_action(service, method, path, headers, body, query) or ""
        found = find(service, action.partition(":")[2], path, body or b"")
        return found or native(service, method, path, headers, body, query, region, account)

    actions.extract_resource_arn = extract


def observe_iam_decisions(observe: ObserveDecision) -> None:
    """Tell of every decision on a request that is signed with a role's credentials."""
    evaluator, sessions = _module(_EVALUATOR), _module(_SESSIONS)
    native: Callable[..., Any] = evaluator.enforce

    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        refusal = native(access_key_id, iam_action, service, region, resource_arn, service_context)
        session = sessions._sessions.get(access_key_id)
        if session is not None:
            role = evaluator._role_name_from_assumed_arn(session["Arn"])
            observe(role, iam_action, resource_arn, allowed=refusal is None)
        return refusal

    evaluator.enforce = enforce


def judge(role: str, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether the policies of a role of the account in scope allow an action; condition keys in lower case."""
    evaluator = _module(_EVALUATOR)
    account, region = current_scope()
    question = evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/local",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        service_context=dict(context),
    )
    decision: str = evaluator.evaluate(question, evaluator._gather_role_policies(role, account)).decision
    return decision == "Allow"


def open_role_session(role: str, session: str, key_id: str, secret: str, token: str) -> None:
    """From now on these credentials are those of a role of the account in scope."""
    account, _ = current_scope()
    _module(_SESSIONS).register_session(
        key_id,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
            "UserId": f"{role}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )


def function_role(name: str) -> str | None:
    """The role ARN of a Lambda function of the account and region in scope, by its name or ARN."""
    function = _module(_FUNCTIONS)._functions.get(name.split(":function:")[-1].partition(":")[0])
    return str(function["config"]["Role"]) if function else None


def check_tasks(check: Callable[[str, str, Mapping[str, Any]], None]) -> None:
    """Call ``check(role ARN, resource, input)`` before each task of a state machine; what it raises fails the task."""
    step_functions = _module(_STEP_FUNCTIONS)
    execute: Callable[..., Any] = step_functions._execute_task
    invoke: Task = step_functions._invoke_resource
    role: contextvars.ContextVar[str] = contextvars.ContextVar("role", default="")

    def execute_as_role(state: Any, raw_input: Any, execution: Any, context: Any) -> Any:
        # A version or an alias follows the machine's own ARN.
        machine = step_functions._state_machines.get(":".join(execution["stateMachineArn"].split(":")[:7]))
        before = role.set(machine["roleArn"] if machine else "")
        try:
            return execute(state, raw_input, execution, context)
        finally:
            role.reset(before)

    def checked_invoke(resource: str, data: Any) -> Any:
        if role.get():
            check(role.get(), resource, data if isinstance(data, dict) else {})
        return invoke(resource, data)

    step_functions._execute_task, step_functions._invoke_resource = execute_as_role, checked_invoke


def check_targets(check: Callable[[str, str], bool]) -> None:
    """Call an EventBridge rule's target by its role only where ``check(role ARN, target ARN)`` holds."""
    events = _module(_EVENTS)
    native: Callable[..., None] = events._invoke_target

    def invoke(target: Mapping[str, Any], event: Any, rule: Any, view: Any = None) -> None:
        if not target.get("RoleArn") or check(target["RoleArn"], target["Arn"]):
            native(target, event, rule, view)

    events._invoke_target = invoke
