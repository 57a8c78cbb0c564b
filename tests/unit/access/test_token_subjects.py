from headrace_runtime.access.token_subjects import subjects_of


def test_policies_may_name_the_subject_and_each_text_of_each_claim():
    claims = {
        "iss": "https://issuer",
        "aud": "headrace",
        "sub": "user-1",
        "exp": 1,
        "team": "data science",
        "groups": ["a", "b", 3],
        "scope": "infer read",
        "address": {"city": "x"},
    }

    assert subjects_of(claims) == (
        "sub:user-1",
        "claim:team=data science",
        "claim:groups=a",
        "claim:groups=b",
        "claim:scope=infer",
        "claim:scope=read",
    )


def test_no_claim_can_pass_for_another():
    assert subjects_of({"sub": "x", "team=ml": "1", "team": "ml=1"}) == (
        "sub:x",
        "claim:team=ml=1",
    )


def test_what_is_too_long_or_too_much_gives_nothing():
    many = subjects_of({"sub": "x", "big": "b" * 600, "groups": [str(n) for n in range(200)]})

    assert len(many) == 100
    assert not any(subject.startswith("claim:big") for subject in many)
