"""How large the shards of a file are."""

# A file's results are put together from at most 10,000 pieces (S3's limit of a multipart upload),
# and a shard that takes more than one run of a function gives more than one.
MAX_SHARDS = 5000
# A shorter file is one shard, without a look at where it could be cut.
SMALL_COMPRESSED_BYTES = 8 << 20


def shard_size(size_bytes: int, wished_bytes: int) -> int:
    """Return the bytes of each shard of a file of that size."""
    return max(wished_bytes, -(-size_bytes // MAX_SHARDS))
