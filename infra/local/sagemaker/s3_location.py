"""Where an object lies in S3, or many: a bucket and a key or prefix."""

import re
from dataclasses import dataclass

_URL = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class S3Location:
    """A bucket with a key, or a prefix of keys, which may be empty."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, url: str) -> "S3Location":
        """Read `s3://bucket/key`.

        Raises:
            ValueError: it is none.
        """
        match = _URL.fullmatch(url)
        if match is None:
            raise ValueError(f"{url} is no location in S3.")
        return cls(match[1], match[2])

    def under(self, *parts: str) -> "S3Location":
        """Return the location of a path below this one, with one slash between any two parts."""
        below = [part.strip("/") for part in (self.key, *parts[:-1]) if part.strip("/")]
        return S3Location(self.bucket, "/".join([*below, parts[-1].lstrip("/")]))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"
