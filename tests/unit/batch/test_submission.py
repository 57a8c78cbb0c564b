"""Submissions: keys that make jobs, and no others."""

import pytest

from headrace_runtime.batch.job_key import parse_key
from headrace_runtime.batch.submission import StoredObject, Submission
from headrace_runtime.errors import InvalidInput

FOLDER = "0a" * 16


def test_the_key_is_of_the_model_and_the_folder_is_its_own():
    assert Submission("digits@2", "rows.csv").key(FOLDER) == f"inbox/digits@2/{FOLDER}/rows.csv"


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("inbox/wine/rows.csv", "rows.csv"),
        ("wine/a/b/rows 1+2%.csv", "rows 1+2%.csv"),
        ("wine/a\r\nb.csv", "a__b.csv"),
        ("wine/${filename}", "_filename}"),
        ("wine/..", "file"),
        ("wine/", "file"),
        ("wine/" + "ü" * 200 + ".csv", "ü" * 125 + ".csv"),
    ],
)
def test_every_object_has_a_name_that_a_file_can_have(key, file):
    original = StoredObject("inbox", key)

    assert original.file == file
    asked = Submission("digits", original.file, original)
    assert parse_key(asked.key(FOLDER)).model == "digits"


@pytest.mark.parametrize("file", ["", ".", "..", "a/b", "a\0", "${x}", "ü" * 128, "\ud800" * 90])
def test_what_cannot_be_a_files_name_is_refused(file):
    with pytest.raises(InvalidInput, match="file must be the name of a file"):
        Submission("digits", file)


def test_what_asks_for_the_same_is_the_same():
    one = Submission("digits", "a.csv", StoredObject("b", "k"), joined=False)

    assert one.canonical == Submission("digits", "a.csv", StoredObject("b", "k"), False).canonical
    for other in (
        Submission("digits@1", "a.csv", StoredObject("b", "k"), joined=False),
        Submission("digits", "a.csv", StoredObject("b", "k", "v"), joined=False),
        Submission("digits", "a.csv", StoredObject("b", "k")),
        Submission("digits", "a.csv", StoredObject("b", "k"), False, "https://a.example/"),
        Submission("digits", "a.csv", joined=False),
        Submission("digits", "a.csv", StoredObject("b", "k"), joined=False, deadline_s=600),
    ):
        assert other.canonical != one.canonical
    assert "deadline" not in one.canonical  # as it was before there were deadlines
