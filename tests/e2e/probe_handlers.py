"""Functions made to be ill-treated, as the sources that `probe_cloud` deploys."""

HANDLER = """
import importlib.util, json, os, subprocess, sys, tempfile, time
from pathlib import Path

STARTED = time.time()


def lambda_handler(event, context):
    if not event["routeKey"].startswith("POST "):
        return event
    order = json.loads(event["body"])
    return ORDERS[order["do"]](context, order)


def environment(context, order):
    return {
        "pid": os.getpid(),
        "environ": dict(os.environ),
        "path": sys.path,
        "tmp": tempfile.gettempdir(),
        "left_ms": context.get_remaining_time_in_millis(),
        "memory_mb": context.memory_limit_in_mb,
    }


def sleep(context, order):
    time.sleep(order["s"])
    return {"pid": os.getpid()}


def hold(context, order):
    held = b"x" * (order["mb"] << 20)
    time.sleep(0.5)
    return {"held": len(held)}


def print_line(context, order):
    print(order["line"])
    return {}


def child(context, order):
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return {"pid": os.getpid(), "child": started.pid}


def lone_child(context, order):
    # As models have it: in a session of its own, ended by the kernel with its parent.
    die = "import ctypes, time; ctypes.CDLL(None).prctl(1, 9)"
    work = f"held = b'x' * {order.get('mb', 0) << 20}; time.sleep(600)"
    started = subprocess.Popen([sys.executable, "-c", f"{die}; {work}"], start_new_session=True)
    if "told" in order:
        Path(order["told"]).write_text(str(started.pid))
    time.sleep(order.get("s", 0))
    return {"pid": os.getpid(), "child": started.pid}


def respond(context, order):
    return order["response"]


def imports(context, order):
    return {"imported": importlib.util.find_spec(order["module"]) is not None}


def fail(context, order):
    raise ValueError("as ordered")


def big(context, order):
    return {"statusCode": 200, "body": "x" * order["bytes"]}


def die(context, order):
    os.kill(os.getpid(), order["signal"])
    time.sleep(5)


DOABLE = (environment, sleep, hold, child, lone_child, respond, imports, print_line, fail, big, die)
ORDERS = {function.__name__: function for function in DOABLE}
"""

# Counts deliveries in files; a body says how a message is to be treated.
CONSUMER = """
import json, os, uuid
from pathlib import Path

DELIVERED = Path(os.environ["DELIVERED"])


def lambda_handler(event, context):
    failed = []
    for record in event["Records"]:
        file = DELIVERED / f"{uuid.uuid4()}.part"
        file.write_text(json.dumps(record))
        file.rename(file.with_suffix(".json"))
        if record["body"] == "poison":
            failed.append({"itemIdentifier": record["messageId"]})
        if record["body"] == "raise":
            raise ValueError("the whole batch")
    return {"batchItemFailures": failed}
"""

# Stands before routes; a header says what it is to answer.
DOORMAN = """
import json, time, uuid


def lambda_handler(event, context):
    order = event["headers"].get("x-order")
    if order == "sleep":
        time.sleep(5)
    if order == "fail":
        raise ValueError("as ordered")
    if order == "odd":
        return {"isAuthorized": "yes"}
    told = {"event": json.dumps(event), "call": str(uuid.uuid4())}
    return {"isAuthorized": order == "yes", "context": told}
"""

# Counts its calls in files.
TICKER = """
import json, os, uuid
from pathlib import Path

TICKS = Path(os.environ["TICKS"])


def lambda_handler(event, context):
    file = TICKS / f"{uuid.uuid4()}.part"
    file.write_text(json.dumps(event))
    file.rename(file.with_suffix(".json"))
"""

# By the folder that each is written to.
SOURCES = {"probe": HANDLER, "consumer": CONSUMER, "doorman": DOORMAN, "ticker": TICKER}
