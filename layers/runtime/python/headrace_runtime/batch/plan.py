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
MOST_BY_TIME = 1000


def shard_size(size_bytes: int, wished_bytes: int) -> int:
    """Return the bytes of each shard of a file of that size."""
    return max(wished_bytes, -(-size_bytes // MAX_SHARDS))


def lambda_shard_rows(extent: Extent, profile: Profile) -> int:
    """Return the records that each shard has which functions work: what the model does in a minute.

    0 where the file, as far as is known, has no more of them.

    Args:
        extent: of the file.
        profile: what the model's trial measured.
    """
    longest_ms = max(1000 * _MODEL_S, _LOADS * profile.load_ms)
    if extent.rows * profile.ms_per_row <= longest_ms:
        return 0
    return max(1, int(longest_ms / profile.ms_per_row), -(-extent.rows // MOST_BY_TIME))
