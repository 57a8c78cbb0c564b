"""Somebody who looks at the results all the time, and believes what lies there."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Event, Thread
from time import monotonic
from typing import Any, Self

import boto3

from headrace_runtime.batch.job_key import PARTS

_FILES = re.compile(r"manifest\.json|errors\.jsonl|results\.(csv|jsonl|npy|parquet)")
# After a look the reader rests so many times as long: it is not to be all that AWS does.
_REST, _SHORTEST_REST_S = 5, 0.2


@dataclass
class Reader:
    """Polls the results bucket; what is wrong with what it sees is in `wrong`.

    Attributes:
        looks: how often it listed the bucket.
        wrong: sentences.
        seen: etag by key, of every object that was ever there.
        bodies: content by key, read when it was seen first.
    """

    looks: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._s3 = boto3.client("s3")
        self._over = Event()
        self._thread = Thread(target=self._read_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read_on(self) -> None:
        try:
            while not self._over.is_set():
                began = monotonic()
                self.look()
                self._over.wait(max(_REST * (monotonic() - began), _SHORTEST_REST_S))
        except Exception as error:  # noqa: BLE001 - a thread's failure is seen by nobody otherwise
            self.wrong.append(f"the reader broke off: {error!r}")

    def look(self) -> None:
        """List the bucket once, and read whatever is new."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket="results")
        listed = {
            one["Key"]: one["ETag"]
            for page in pages
            for one in page.get("Contents", [])
            if not one["Key"].startswith(PARTS)
        }
        self.looks += 1
        gone = self.seen.keys() - listed.keys()
        changed = [key for key, etag in listed.items() if self.seen.get(key, etag) != etag]
        self.wrong += [f"{key} changed, or is gone" for key in [*gone, *changed]]
        for key in listed.keys() - self.seen.keys():
            self._read(key, listed)
        self.seen |= listed

    def _read(self, key: str, listed: dict[str, str]) -> None:
        prefix, _, name = key.rpartition("/")
        if not _FILES.fullmatch(name):
            self.wrong.append(f"{key} should not be there")
            return
        body = self._body(key)
        if name == "errors.jsonl":
            lines = body.splitlines(keepends=True)
            if not all(line.endswith(b"\n") and json.loads(line) for line in lines):
                self.wrong.append(f"{key} ends in the midst of a line")
        if name == "manifest.json":
            manifest = json.loads(body)
            if not listed.keys() >= set(manifest["files"]):
                self.wrong.append(f"{prefix} has a manifest, and not its files")
            else:
                self.wrong += [f"{prefix}: {what}" for what in self._untrue(manifest)]

    def _untrue(self, manifest: dict[str, Any]) -> Iterator[str]:
        """Yield what a manifest says that its files do not."""
        *results, errors = manifest["files"]
        lines = [json.loads(line) for line in self._body(errors).splitlines()]
        if manifest["rows_in"] != manifest["rows_ok"] + manifest["rows_failed"]:
            yield "records are lost or doubled"
        if manifest["rows_failed"] != sum(line["row"] is not None for line in lines):
            yield "errors.jsonl has not as many records as have failed"
        for body in map(self._body, results):
            digests, start = b"", 0
            for part in manifest["parts"]:
                piece = body[start : start + part["size_bytes"]]
                start += part["size_bytes"]
                digests += sha256(piece).digest()
                if sha256(piece).hexdigest() != part["sha256"]:
                    yield "a part of the results has another checksum"
            if start != len(body):
                yield "the results have another size than their parts"
            if manifest["results"]["sha256"] != _checksum(digests):
                yield "the results have another checksum"

    def _body(self, key: str) -> bytes:
        if key not in self.bodies:
            self.bodies[key] = self._s3.get_object(Bucket="results", Key=key)["Body"].read()
        return self.bodies[key]


def _checksum(digests: bytes) -> str:
    """Return the checksum of results of which the parts have *digests*, 32 bytes each."""
    parts = len(digests) // 32
    if parts == 1:
        return digests.hex()
    return sha256(digests).hexdigest() + (f"-{parts}" if parts else "")
