import headrace


def test_the_public_names_are_sorted_and_all_there():
    assert headrace.__all__ == sorted(headrace.__all__)
    assert all(getattr(headrace, name).__name__ == name for name in headrace.__all__)


def test_every_public_name_is_listed_once_where_it_lives():
    lazily = [name for names in headrace._HOMES.values() for name in names]

    assert sorted(lazily) == sorted(headrace.__all__)
