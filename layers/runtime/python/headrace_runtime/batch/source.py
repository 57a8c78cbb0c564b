"""The dropped file of a job, and where its results go."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """The dropped file: one version of one object.

    Attributes:
        version_id: None in a bucket that keeps no versions; then the etag tells them apart.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size_bytes: int

    @property
    def is_folder(self) -> bool:
        """Whether it is no file: an empty object whose key ends in `/`, which a console made."""
        return self.key.endswith("/") and not self.size_bytes


@dataclass(frozen=True, slots=True)
class Target:
    """Where the results go: objects of *bucket* whose keys begin with *prefix*, `…/`."""

    bucket: str
    prefix: str
