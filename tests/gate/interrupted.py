"""A program that is hit by Ctrl-C again and again in the middle of a gated call, and checks what the queue says of it.

Arguments: the queue's path, how many calls. Prints each lie of the queue, then how often each truth was met.
"""

from __future__ import annotations

import collections
import random
import signal
import statistics
import sys
import threading
import time
from contextlib import suppress

from gatekit import Gate, calling, gated_step
from gatekit.errors import ReviewError
from gatekit.models import Request

WARM_UP = 10
"""Calls that nobody interrupts: they tell how long a call takes here."""
TRUE = {
    # Whether the call had an id, whether the tool ran: where the request may stand after Ctrl-C.
    (False, False): {"cancelled", "unknown"},
    (True, False): {"pending", "approved", "unknown"},
    (False, True): {"succeeded", "unknown"},
    (True, True): {"succeeded", "unknown"},
}

gate = Gate(sys.argv[1])
ran: list[int] = []
in_call = False


@gated_step(gate=gate)
def pay(number: int) -> int:
    ran.append(number)
    return number


def interrupt(signum: int, frame: object) -> None:
    global in_call
    if in_call:
        in_call = False
        raise KeyboardInterrupt


def review() -> None:
    for event in gate.watch(0):
        if event.kind == "submitted":
            with suppress(ReviewError):
                gate.reviewer("bob").approve(gate.get(event.request_id))


def usual() -> float:
    """Seconds that a whole call takes."""
    times = []
    for number in range(WARM_UP):
        started = time.perf_counter()
        pay(number)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def call(number: int, *, given: bool, within: float) -> bool:
    """Make a call, and send Ctrl-C within so many seconds; whether it was interrupted."""
    global in_call
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(random.uniform(0, within), signal.pthread_kill, (main, signal.SIGINT))
    with calling(call_id=f"call-{number}" if given else None):
        timer.start()
        try:
            in_call = True
            pay(number)
        except KeyboardInterrupt:
            return True
        finally:
            in_call = False
            timer.join()
    return False


def story(before: int) -> tuple[Request | None, list[str]]:
    gate.backend.sweep().wait()
    # The reviewer may still be deciding on the call before this one.
    submitted = [event for event in gate.events(before, limit=100) if event.kind == "submitted"]
    if not submitted:
        return None, []
    request = gate.get(submitted[0].request_id)
    return request, [event.kind for event in gate.history(request.id)]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    signal.signal(signal.SIGINT, interrupt)
    threading.Thread(target=review, daemon=True).start()
    met: collections.Counter[str] = collections.Counter()
    within = 1.3 * usual()
    for number in range(int(sys.argv[2])):
        given = number % 2 == 1
        ran.clear()
        before = gate.backend.cursor().wait()
        interrupted = call(number, given=given, within=within)
        request, kinds = story(before)
        if request is None:
            met["nothing"] += 1
            if ran:
                say(f"LIE: call {number} ran and the queue knows nothing of it")
            continue
        met[request.status] += 1
        allowed = TRUE[given, bool(ran)] if interrupted else {"succeeded"}
        waits = request.status in ("pending", "approved") and request.waiter == "waiting"
        if request.status not in allowed or waits:
            say(f"LIE: call {number} {given=} {ran=} {interrupted=}: {request.status}, {request.waiter}, {kinds}")
    say(" ".join(f"{status}={count}" for status, count in sorted(met.items())))


if __name__ == "__main__":
    main()
