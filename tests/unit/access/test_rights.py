import pytest

from headrace_runtime.access.denials import Forbidden
from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.access.rights import Access
from headrace_runtime.errors import ModelNotFound

POLICIES = [
    Policy("callers", ("key:a", "claim:team=ml"), frozenset({Action.INFER}), ("iris*", "wine")),
    Policy("publishers", ("key:b",), frozenset({Action.PUBLISH, Action.PROMOTE}), ("iris-?",)),
    Policy("admins", ("key:root",), frozenset(Action), ("*",)),
    Policy("half", ("key:half",), frozenset({Action.ADMIN}), ("a*", "?")),
]


def of(*subjects):
    return Access(POLICIES, subjects)


def test_nobody_may_do_anything():
    assert not any(of().may(action, "iris") for action in Action)
    assert not of("key:unknown").sees("iris")


def test_a_policy_gives_its_actions_on_its_models_alone():
    assert of("key:a").may(Action.INFER, "iris-2")
    assert not of("key:a").may(Action.INFER, "digits")
    assert not of("key:a").may(Action.READ, "iris-2")


def test_every_name_of_a_caller_brings_its_policies():
    both = of("sub:x", "claim:team=ml", "key:b")

    assert both.may(Action.INFER, "wine")
    assert both.may(Action.PUBLISH, "iris-1")
    assert not both.may(Action.PUBLISH, "wine")


def test_a_model_that_no_policy_names_is_as_if_it_were_not():
    with pytest.raises(ModelNotFound) as refused:
        of("key:a").check(Action.INFER, "digits")

    assert refused.value.sentence == "model 'digits' is not registered"
    assert refused.value.facts == {"model": "digits"}


def test_what_is_not_given_on_a_model_that_is_seen_is_forbidden():
    with pytest.raises(Forbidden) as refused:
        of("key:a").check(Action.PROMOTE, "iris")

    assert refused.value.sentence == "no policy gives you the right 'promote' on model 'iris'"


def test_any_action_lets_a_model_be_seen():
    assert of("key:b").sees("iris-1")
    assert not of("key:b").sees("iris")


@pytest.mark.parametrize("subject", ["key:a", "key:half", "key:unknown"])
def test_only_admin_of_every_model_rules_over_keys_and_policies(subject):
    of("key:root").check_admin()

    with pytest.raises(Forbidden):
        of(subject).check_admin()
