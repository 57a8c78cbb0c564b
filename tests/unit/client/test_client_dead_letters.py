"""Messages that were given up go back until none is left, or as many as one likes."""

import pytest

WAITING = {"queues": [{"name": "files", "waiting": 3}, {"name": "shards", "waiting": 0}]}


@pytest.fixture
def queues(service):
    service.answers("GET /dead-letters", WAITING)
    service.answers("POST /dead-letters/files", {"queue": "files", "moved": 100, "left": 50})
    service.answers("POST /dead-letters/files", {"queue": "files", "moved": 50, "left": 0})
    service.answers("POST /dead-letters/shards", {"queue": "shards", "moved": 0, "left": 0})
    return service


def _asked(service):
    return [(call.path, call.json) for call in service.calls if call.method == "POST"]


def test_dead_letters_are_counted_by_queue(queues, client):
    assert client.dead_letters() == {"files": 3, "shards": 0}


def test_they_go_back_until_none_is_left(queues, client):
    assert client.redrive() == {"files": 150, "shards": 0}
    assert _asked(queues) == [
        ("/dead-letters/files", {"max": 100}),
        ("/dead-letters/files", {"max": 100}),
        ("/dead-letters/shards", {"max": 100}),
    ]


def test_no_more_go_back_than_are_wanted(queues, client):
    assert client.redrive(max=110) == {"files": 150, "shards": 0}
    assert _asked(queues) == [
        ("/dead-letters/files", {"max": 100}),
        ("/dead-letters/files", {"max": 10}),
    ]


def test_one_queue_alone_is_asked_for(queues, client):
    assert client.redrive("shards") == {"shards": 0}
    assert _asked(queues) == [("/dead-letters/shards", {"max": 100})]


def test_a_queue_from_which_nothing_moves_is_left(service, client):
    service.answers("POST /dead-letters/files", {"queue": "files", "moved": 0, "left": 7})

    assert client.redrive("files") == {"files": 0}
    assert len(service.calls) == 1
