"""Jobs and shards as items of their table.

pk            sk                holds
JOB#<job id>  JOB               state, revision, shards_done, job (JSON), what the indexes want
JOB#<job id>  SHARD#<number>    state, attempt, shard (JSON under zlib)

Index `by_day` (day, created) lists jobs; `unfinished` (unfinished, changed_at) holds those that
have not ended, or whose end nobody was told of yet.

DynamoDB takes items of 400 KB, and a shard of a slow model may have a thousand parts: of each some
80 bytes are left under zlib, as each layout is written once.
"""

import json
import zlib
from dataclasses import asdict
from typing import Any

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.handed import Handed
from headrace_runtime.batch.job import Cut, Job, JobState
from headrace_runtime.batch.placement import Placement
from headrace_runtime.batch.shard import Part, Range, Shard, ShardState
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.batch.stop import Stop
from headrace_runtime.batch.webhook import Webhook
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.codec.records import Position

Item = dict[str, Any]
UNFINISHED = "1"
_APART = ("state", "revision", "shards_done")  # attributes of their own


def job_key(job_id: str) -> Item:
    """Return the key of a job's item."""
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": "JOB"}}


def shard_key(job_id: str, number: int) -> Item:
    """Return the key of a shard's item; they are in order."""
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": f"SHARD#{number:08}"}}


def job_values(job: Job) -> Item:
    """Return the attributes of a job that a move writes."""
    plain = {name: value for name, value in asdict(job).items() if name not in _APART}
    plain["placement"] = job.placement and job.placement.to_dict()
    return {
        "state": {"S": str(job.state)},
        "revision": {"N": str(job.revision)},
        "closing": {"BOOL": job.closing},
        "model": {"S": job.model or ""},
        "job": {"S": json.dumps(plain)},
    }


def new_job_item(job: Job) -> Item:
    """Return the whole item of a job that was just made."""
    return {
        **job_key(job.job_id),
        **job_values(job),
        "shards_done": {"N": "0"},
        "day": {"S": job.created_at[:10]},
        "created": {"S": f"{job.created_at}#{job.job_id}"},
        "unfinished": {"S": UNFINISHED},
        "changed_at": {"S": job.created_at},
    }


def job_of(item: Item) -> Job:
    """Return the job that an item holds."""
    plain = json.loads(item["job"]["S"])
    content, stop, webhook = plain["content"], plain["stop"], plain["webhook"]
    placement = plain.get("placement")
    cut = plain["cut"]
    read = {
        "source": Source(**plain["source"]),
        "target": Target(**plain["target"]),
        "counts": Counts(**plain["counts"]),
        "cut": Cut(cut["shards"], Position(**cut["end"]), cut["complete"]),
        "stop": stop and Stop(**stop),
        "webhook": webhook and Webhook(**webhook),
        "placement": placement and Placement.from_dict(placement),
        "content": content
        and Content(FileFormat(content["format"]), Compression(content["compression"])),
        "state": JobState(item["state"]["S"]),
        "revision": int(item["revision"]["N"]),
        "shards_done": int(item["shards_done"]["N"]),
    }
    return Job(**plain | read)


def shard_item(shard: Shard) -> Item:
    """Return the whole item of a shard."""
    plain = asdict(shard)
    layouts = list(dict.fromkeys(part.layout for part in shard.parts))
    for part in plain["parts"]:
        part["layout"] = layouts.index(part["layout"])
    text = json.dumps(plain | {"layouts": layouts}, ensure_ascii=False)
    return {
        **shard_key(shard.job_id, shard.number),
        "state": {"S": str(shard.state)},
        "attempt": {"N": str(shard.attempt)},
        "shard": {"B": zlib.compress(text.encode())},
    }


def shard_of(item: Item) -> Shard:
    """Return the shard that an item holds."""
    plain = json.loads(zlib.decompress(item["shard"]["B"]))
    part, layouts = plain["range"], plain.pop("layouts")
    read = {
        "range": Range(Position(**part["start"]), part["stop"], part["next_row"]),
        "state": ShardState(plain["state"]),
        "parts": tuple(_part_of(one, layouts) for one in plain["parts"]),
        "progress": Counts(**plain["progress"]),
        "handed": _handed_of(plain.get("handed")),
    }
    return Shard(**plain | read)


def _handed_of(plain: dict[str, Any] | None) -> Handed | None:
    return None if plain is None else Handed(**plain | {"sizes": tuple(plain["sizes"])})


def _part_of(plain: dict[str, Any], layouts: list[str]) -> Part:
    read = {"counts": Counts(**plain["counts"]), "layout": layouts[plain["layout"]]}
    return Part(**plain | read)
