from infra.local.triton.load_failure import reason_in

TRITON = (
    'I1126 15:27:02.1 14341 model_lifecycle.cc:472] "loading: repo::model:1"\n'
    "E1126 15:27:02.8 14341 model_lifecycle.cc:642] \"failed to load 'repo::model' version 1: "
    'Internal: ModelRefused: input \\"i\\" is odd\\n\\nAt:\\n  model.py(35): initialize\\n"\n'
    'I1126 15:27:03.1 14341 server.cc:321] "Timeout 1: Found 0 model versions"\n'
)  # fmt: skip


def test_tritons_reason_is_that_of_the_backend_without_its_frames(tmp_path):
    log = tmp_path / "log"
    log.write_text(TRITON)

    assert reason_in(log, after=0) == 'ModelRefused: input "i" is odd'


def test_what_stood_in_the_log_before_is_not_the_reason(tmp_path):
    log = tmp_path / "log"
    log.write_text(TRITON + "failed to load 'model': config.pbtxt cannot be read: no\n")

    assert reason_in(log, after=len(TRITON)) == "config.pbtxt cannot be read: no"


def test_without_such_a_line_the_last_one_is_the_reason(tmp_path):
    log = tmp_path / "log"
    log.write_text("a\nerror: no such option\n\n")

    assert reason_in(log, after=0) == "error: no such option"
    assert reason_in(log, after=log.stat().st_size) == "it ended without a word"
