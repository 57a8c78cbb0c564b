"""How large the shards of a file are."""

from headrace_runtime.batch.extent import Extent
from headrace_runtime.model.manifest import Profile

# A file's results are put together from at most 10,000 pieces (S3's limit of a multipart upload),
# and a shard that takes more than one run of a function gives more than one.
MAX_SHARDS = 5000
# A shorter file is one shard, without a look at where it could be cut.
SMALL_COMPRESSED_BYTES = 8 << 20
# For so long a model works on one shard, or so many times as long as it loads: then functions that
# start cost a twentieth of it, and many work on a file that is short and takes long.
_MODEL_S, _LOADS = 60.0, 10
# Shards are not so short that there are more of them for it: an account has so much of Lambda.
_MOST_BY_TIME = 1000


def shard_size(size_bytes: int, wished_bytes: int) -> int:
    """Return the bytes of each shard of a file of that size."""
    return max(wished_bytes, -(-size_bytes // MAX_SHARDS))


def lambda_shard_bytes(extent: Extent, profile: Profile, wished_bytes: int) -> int:
    """Return the bytes of each shard that functions work: fewer where the model takes long.

    What is compressed is cut by its bytes alone: each shard is undone from the file's beginning.

    Args:
        extent: of the file.
        profile: what the model's trial measured.
        wished_bytes: of a shard that the model has soon done.
    """
    model_s = extent.rows * profile.ms_per_row / 1000
    shards = model_s / max(_MODEL_S, _LOADS * profile.load_ms / 1000)
    if extent.compressed or shards <= 1:
        return wished_bytes
    return min(wished_bytes, max(1, int(extent.size_bytes / min(shards, _MOST_BY_TIME))))
