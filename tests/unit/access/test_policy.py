import pytest

from headrace_runtime.access.policy import Action, Policy, actions_of
from headrace_runtime.errors import HeadraceError

READERS = frozenset({Action.READ})


@pytest.mark.parametrize(
    "subject",
    [
        "key:abcdefghijklmnop",
        "sub:auth0|5f7c8ec7c33c6c004bbafe82",
        "claim:groups=data science",
        "claim:scope=models/infer",
        "iam:arn:aws:iam::123456789012:role/Caller",
    ],
)
def test_a_policy_names_keys_tokens_and_roles(subject):
    assert Policy("p", (subject,), READERS, ("*",)).subjects == (subject,)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            {"name": "-"},
            "'-' is not a valid policy name: expected 1-63 of a-z, 0-9 and inner hyphens",
        ),
        ({"subjects": ()}, "subjects of a policy must be 1 to 200 texts, got 0"),
        ({"subjects": ("key:a",) * 201}, "subjects of a policy must be 1 to 200 texts, got 201"),
        (
            {"subjects": ("everybody",)},
            (
                "'everybody' is no subject: it is key:<id>, sub:<subject>, claim:<name>=<value> or "
                "iam:<arn>, of at most 512 characters"
            ),
        ),
        (
            {"subjects": ("sub:ada\n",)},
            (
                "'sub:ada\\n' is no subject: it is key:<id>, sub:<subject>, "
                "claim:<name>=<value> or iam:<arn>, of at most 512 characters"
            ),
        ),
        ({"models": ()}, "models of a policy must be 1 to 200 texts, got 0"),
        (
            {"models": ("Iris",)},
            "'Iris' names no models: it is 1-63 of a-z, 0-9, hyphen, * and ?",
        ),
        (
            {"actions": frozenset()},
            (
                "actions of a policy must name at least one of infer, explain, submit, publish, "
                "promote, read, admin"
            ),
        ),
    ],
)
def test_a_policy_that_could_give_nothing_or_too_much_is_refused(facts, sentence):
    good = {"name": "p", "subjects": ("key:a",), "actions": READERS, "models": ("*",)}

    with pytest.raises(HeadraceError) as refused:
        Policy(**good | facts)

    assert refused.value.sentence == sentence


@pytest.mark.parametrize(
    "subject", ["open", "key:", "key:A", "claim:a", "claim:=b", "iam:role", ""]
)
def test_what_is_no_subject_is_refused(subject):
    with pytest.raises(HeadraceError):
        Policy("p", (subject,), READERS, ("*",))


def test_an_action_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(HeadraceError) as refused:
        actions_of(["infer", "delete"])

    assert refused.value.sentence == (
        "there is no action 'delete': there are infer, explain, submit, publish, promote, read, "
        "admin"
    )
