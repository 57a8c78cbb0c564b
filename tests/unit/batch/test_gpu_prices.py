"""What instances with GPUs cost."""

import re

from headrace_runtime.batch.gpu_prices import ASSUMED, gpu_instance, known_instances


def test_an_instance_has_a_price_with_where_and_when_it_was_that():
    g5 = gpu_instance("ml.g5.xlarge")

    assert (g5.usd_per_hour, g5.priced) == (1.408, "us-east-1, 2026-08")
    assert (g5.gpus, g5.family.gpu, g5.family.memory_gb, g5.speed) == (1, "NVIDIA A10G", 24, 60)
    assert g5.usd_per_s == 1.408 / 3600


def test_an_instance_with_four_gpus_is_four_times_as_fast():
    assert gpu_instance("ml.g5.12xlarge").speed == 240


def test_what_nobody_priced_is_held_to_be_dear_and_is_marked():
    bigger, other = gpu_instance("ml.g6.99xlarge"), gpu_instance("teapot")

    assert (bigger.usd_per_hour, bigger.priced, bigger.speed) == (100.0, ASSUMED, 30)
    assert (other.usd_per_hour, other.priced, other.speed) == (100.0, ASSUMED, 30)
    assert all(one.usd_per_hour < other.usd_per_hour for one in known_instances())


def test_every_price_of_the_table_says_where_and_when():
    known = known_instances()

    assert len(known) == 32
    for one in known:
        assert re.fullmatch(r"us-(east-1|west-2), 2026(-\d\d)?", one.priced)
        assert one.family.gpu.startswith("NVIDIA ")
