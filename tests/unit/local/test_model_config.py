import pytest

from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.model.triton_config import config_pbtxt
from headrace_runtime.tensor import Datatype
from infra.local.triton.model_config import ConfigRefused, read_config


def test_what_is_written_for_triton_is_read_as_triton_reads_it():
    signature = Signature(
        (TensorSpec('größe "x"\\1', Datatype.FP32, (-1, 20)),),
        (TensorSpec("y", Datatype.INT64, (-1, 3)),),
    )

    read = read_config(
        config_pbtxt("model", signature, rows_at_once=64, tensorrt=True, optimise=False)
    )

    assert read["max_batch_size"] == 64
    assert read["input"] == [{"name": 'größe "x"\\1', "data_type": "TYPE_FP32", "dims": [20]}]
    assert read["output"] == [{"name": "y", "data_type": "TYPE_INT64", "dims": [3]}]
    assert read["optimization"]["graph"] == {"level": 2}
    assert read["instance_group"] == [{"kind": "KIND_AUTO", "count": 1}]


def test_every_way_to_write_a_list_gives_the_same():
    ways = (
        'input [ { name: "x" data_type: TYPE_FP32 dims: [ 2, 3 ] } ] # a remark',
        'input: [{name:"x", data_type:TYPE_FP32; dims:[2,3]}]',
        "input { name: 'x' data_type: TYPE_FP32 dims: 2 dims: 3 }",
        'input < name: "x" data_type: TYPE_FP32 dims: [2] dims: [3] >',
    )

    assert [read_config(way)["input"] for way in ways] == [
        [{"name": "x", "data_type": "TYPE_FP32", "dims": [2, 3]}]
    ] * 4


def test_what_is_not_said_is_what_triton_takes_it_for():
    assert read_config('name: "m"') == {"name": "m", "max_batch_size": 0, "input": [], "output": []}


def test_numbers_and_truth_are_read():
    assert read_config("a: -1 b: 1.5e3 c: true d: KIND_AUTO e { }") == {
        "a": -1,
        "b": 1500.0,
        "c": True,
        "d": "KIND_AUTO",
        "e": {},
        "max_batch_size": 0,
        "input": [],
        "output": [],
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('input { name: "x"', "'the end' stands where a field's name should"),
        ("name", "'the end' stands behind the name name"),
        ("name:", "'the end' stands where a value should"),
        ('name "x"', "stands behind the name name"),
        ("1: 2", "'1' stands where a field's name should"),
        ('name: "x', "'\"' stands where no word can begin"),
        ('name: "\\377"', "is no text"),
        ('input { name: "x" }', "an input lacks its name, data_type or dims"),
    ],
)
def test_what_is_no_configuration_is_refused(text, reason):
    with pytest.raises(ConfigRefused) as refused:
        read_config(text)

    assert reason in str(refused.value)
