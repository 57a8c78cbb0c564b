"""A terabyte of CSV, on paper: from rates just measured, our constants, AWS's limits and prices.

Limits and on-demand list prices (USD, us-east-1, first tier) as AWS's pages had them in 2026-11;
Lambda's price is the runtime's own, in `monitoring/cost.py`, DynamoDB's are in `costs.py`. What
neither AWS says nor we measure stands as an assumption below.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headrace_runtime.aws.job_door import MAX_FILE_BYTES
from headrace_runtime.aws.part_join import _AT_ONCE
from headrace_runtime.aws.upload import PART_BYTES
from headrace_runtime.batch.joining import pieces
from headrace_runtime.batch.plan import MAX_SHARDS, shard_size
from headrace_runtime.monitoring.cost import Price
from infra.aws.limits import SHARD_BYTES
from infra.aws.stage_parts import FunctionMemory
from tests.benchmarks.costs import READ_USD_PER_MILLION, VCPU_MB, WRITE_USD_PER_MILLION

FILE_BYTES = 10**12
MEMORY = FunctionMemory()
CONCURRENCIES = (10, 100, 1000)  # a stage's default; some; the most of an account and of a queue

RUN_S = 900.0  # Lambda's limit, and what `batch` and `intake` have
SLICE_S = 60.0  # `batch/clock.Slice`: cutting of one message
OBJECT_BYTES = 10_000 * 5 * 2**30  # S3: parts of an object x bytes of a part
S3_WRITE_USD = 0.005 / 1000  # PUT, COPY, POST, LIST
S3_READ_USD = 0.0004 / 1000  # GET

# Assumptions. AWS's guidelines reckon with 85-90 MB/s of one request; others report 57 to 83 MB/s
# of one copy (s3fs-fuse #940: 4 GB in 72 s; aws-sdk-js-v3 #2917: 250 MB in some 3 s).
STREAM_BYTES_S = 85e6
COPY_BYTES_S = 80e6
START_S = 3.0  # of each shard, as `batch/estimate.py`: a start, and what is read and written of it

# Requests of one shard beside the parts of its results, as the code makes them; items of the jobs'
# table have less than 2 kB. Added and done it is by a transaction of two items each; between them
# it is begun, and says how far it is.
SHARD_GETS, SHARD_PUTS = 2, 2
SHARD_WRITE_UNITS, SHARD_READ_UNITS = 16, 8


@dataclass(frozen=True, slots=True)
class Rates:
    """What was measured, in bytes of CSV a second of one vCPU.

    Attributes:
        model: what the rows are run through.
        batch: read, run and written again.
        digest: results hashed.
        growth: bytes of results by bytes of the file.
    """

    model: str
    batch: float
    digest: float
    growth: float


@dataclass(frozen=True, slots=True)
class CutRates:
    """At how many bytes a second one vCPU finds boundaries: of CSV without quotes, and with."""

    plain: float
    quoted: float


@dataclass(frozen=True, slots=True)
class Cut:
    """How a file is cut, by one run of `intake` after the other.

    Attributes:
        bytes_s: read and looked through, on the function's share of a vCPU.
        seconds: of all of it; infinite where no shard is found within a slice.
        largest_bytes: the largest file of which each shard is found within a slice.
    """

    bytes_s: float
    seconds: float
    largest_bytes: float


def cut(rate: float, memory_mb: int = MEMORY.intake, size_bytes: int = FILE_BYTES) -> Cut:
    """Return how a file is cut at a measured rate, in bytes a second of one vCPU.

    Reading and looking wait for each other. What a slice passed since its last shard is passed
    again: half a shard on average.
    """
    share = min(1.0, memory_mb / VCPU_MB)
    bytes_s = 1 / (1 / STREAM_BYTES_S + 1 / (rate * share))
    shard = shard_size(size_bytes, SHARD_BYTES)
    gained = SLICE_S * bytes_s - shard / 2
    seconds = size_bytes / gained * SLICE_S if SLICE_S * bytes_s > shard else math.inf
    return Cut(bytes_s, seconds, MAX_SHARDS * SLICE_S * bytes_s)


@dataclass(frozen=True, slots=True)
class Job:
    """What a file takes once it is cut.

    Attributes:
        shards: of `shard_bytes` each.
        shard_s: of one of them.
        join_s: until the parts are one object.
        lambda_usd, s3_usd, dynamodb_usd: the cutting's in the first.
    """

    shards: int
    shard_bytes: int
    shard_s: float
    join_s: float
    lambda_usd: float
    s3_usd: float
    dynamodb_usd: float

    @property
    def usd(self) -> float:
        """All of it."""
        return self.lambda_usd + self.s3_usd + self.dynamodb_usd

    def work_s(self, concurrency: int) -> float:
        """Return how long the shards take, so many at a time."""
        return math.ceil(self.shards / concurrency) * self.shard_s

    def seconds(self, cutting: Cut, concurrency: int) -> float:
        """Return how long all takes: shards are worked while the file is cut further."""
        return max(cutting.seconds + self.shard_s, self.work_s(concurrency)) + self.join_s


def job(rates: Rates, cutting: Cut, size_bytes: int = FILE_BYTES) -> Job:
    """Return what a file takes.

    Within a shard reading, work and writing wait for each other: rather too much than too little.
    """
    size = shard_size(size_bytes, SHARD_BYTES)
    shards = math.ceil(size_bytes / size)
    results = round(size * rates.growth)
    shard_s = START_S + size / STREAM_BYTES_S + size / rates.batch
    shard_s += results / rates.digest + results / STREAM_BYTES_S
    copies = sum(1 for _ in pieces([results] * shards))
    join_s = math.ceil(copies / _AT_ONCE) * results * shards / copies / COPY_BYTES_S
    slices = math.ceil(cutting.seconds / SLICE_S)
    puts = shards * (math.ceil(results / PART_BYTES) + SHARD_PUTS) + copies + 2
    units = SHARD_WRITE_UNITS * WRITE_USD_PER_MILLION + SHARD_READ_UNITS * READ_USD_PER_MILLION
    return Job(
        shards=shards,
        shard_bytes=size,
        shard_s=shard_s,
        join_s=join_s,
        lambda_usd=shards * Price(MEMORY.batch).usd(_ns(shard_s))
        + Price(MEMORY.batch).usd(_ns(join_s))
        + slices * Price(MEMORY.intake).usd(_ns(SLICE_S)),
        s3_usd=puts * S3_WRITE_USD + (shards * SHARD_GETS + slices * 2) * S3_READ_USD,
        dynamodb_usd=shards * units / 1e6,
    )


def joined_bytes(rates: Rates) -> float:
    """Return the largest file whose results are joined within one run."""
    return RUN_S * _AT_ONCE * COPY_BYTES_S / rates.growth


def markdown(rates: Sequence[Rates], at: CutRates) -> str:
    """Return the tables of what a terabyte takes: to cut, to work and join, and its ceilings."""
    tables = (_cutting(at), _jobs(rates, at), _ceilings(rates, at))
    return "\n\n".join(map("\n".join, tables))


def _cutting(at: CutRates) -> Iterator[str]:
    memories = (MEMORY.intake, VCPU_MB)
    heads = [f"by {memory:,} MB" for memory in memories]
    yield f"| 1 TB of CSV, cut | a vCPU looks through | {' | '.join(heads)} |"
    yield "|---|---:|---:|---:|"
    for what, rate in (("no quotes", at.plain), ("a quote in every row", at.quoted)):
        cuts = [cut(rate, memory) for memory in memories]
        cells = [f"{one.bytes_s / 1e6:.0f} MB/s, {_time(one.seconds)}" for one in cuts]
        yield f"| {what} | {rate / 1e6:,.0f} MB/s | {' | '.join(cells)} |"


def _jobs(rates: Sequence[Rates], at: CutRates) -> Iterator[str]:
    heads = ("1 TB of CSV", "shards", "a shard takes", "at a time", "worked", "joined", "all")
    money = ("Lambda", "S3", "DynamoDB", "USD")
    yield f"| {' | '.join((*heads, 'all, quotes', *money))} |"
    yield f"|---{'|---:' * 11}|"
    ways = (cut(at.plain), cut(at.quoted))
    for rate in rates:
        done = job(rate, ways[0])
        for concurrency in CONCURRENCIES:
            cells = [
                rate.model,
                f"{done.shards:,} of {done.shard_bytes / 1e6:.0f} MB",
                f"{done.shard_s:.1f} s",
                f"{concurrency:,}",
                _time(done.work_s(concurrency)),
                _time(done.join_s),
                *(_time(done.seconds(way, concurrency)) for way in ways),
                *(f"{usd:.2f}" for usd in (done.lambda_usd, done.s3_usd, done.dynamodb_usd)),
                f"**{done.usd:.2f}**",
            ]
            yield f"| {' | '.join(cells)} |"


def _ceilings(rates: Sequence[Rates], at: CutRates) -> Iterator[str]:
    yield "| ceiling of one CSV | TB |"
    yield "|---|---:|"
    ceilings = {
        "uploaded by the form of `POST /jobs`: S3's limit": MAX_FILE_BYTES,
        f"results joined within one run of {RUN_S:.0f} s": min(map(joined_bytes, rates)),
        f"a shard found within {SLICE_S:.0f} s, quotes": cut(at.quoted).largest_bytes,
        f"a shard found within {SLICE_S:.0f} s, no quotes": cut(at.plain).largest_bytes,
        "an object of S3, results": OBJECT_BYTES / max(rate.growth for rate in rates),
    }
    for what, size in sorted(ceilings.items(), key=lambda ceiling: ceiling[1]):
        yield f"| {what} | {size / 1e12:.3g} |"


def _time(seconds: float) -> str:
    if math.isinf(seconds):
        return "never"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def _ns(seconds: float) -> int:
    return math.ceil(seconds * 1e9)
