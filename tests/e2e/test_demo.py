"""The demo, against a cloud that runs already."""

import re

from infra.demo import digits
from infra.demo.__main__ import tell


def test_the_demo_tells_that_both_doors_agree(cloud, capsys):
    agree = tell(cloud.env, digits.trained())

    told = capsys.readouterr().out
    assert agree
    assert re.search(r"over HTTP +9[5-9]\.\d% of 450 held-out images named right", told)
    assert "both doors  agree on every image" in told
    assert re.search(r"digits/held-out\.csv/[0-9a-f]{32}/results\.csv", told)
    assert re.search(r"file_types\.py +python", told)
    assert re.search(r"itself names (\d+) of \1 the same way", told)
