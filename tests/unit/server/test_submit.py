import pytest

from daybreak.database.keys import create_key
from daybreak.database.projects import create_project
from daybreak.jobs.queue import list_jobs
from daybreak.server.auth import DEFAULT_PROJECT
from serving import png, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("submit")) as served:
        yield served


def retry(count):
    return {"x-stainless-retry-count": str(count)}


BODY = {"prompt": "a dog", "seconds": "8"}


def test_a_retry_of_the_sdk_is_the_same_job_whatever_its_boundary(served):
    picture = ("upload", png(), "application/octet-stream")
    fields = {"prompt": "retried", "input_reference": picture}
    first = served.form("/v1/videos", fields, headers=retry(0)).json()
    before = served.stored()
    for count in (1, 2):
        again = served.form("/v1/videos", fields, headers=retry(count))
        assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert served.stored() == before  # the picture that came with the retry is not kept


def test_two_requests_that_are_alike_are_two_videos(served):
    assert served.post("/v1/videos", BODY)["id"] != served.post("/v1/videos", BODY)["id"]


def test_each_of_two_alike_requests_finds_its_own_video_when_it_is_sent_again(served):
    body = {"prompt": "twins"}
    made = {served.post("/v1/videos", body, headers=retry(0))["id"] for _ in range(2)}
    assert {served.post("/v1/videos", body, headers=retry(1))["id"] for _ in range(2)} == made


@pytest.mark.parametrize(
    "other",
    [
        {**BODY, "seconds": 8},
        {**BODY, "prompt": "a cat"},
        {**BODY, "seed": 1},
        {**BODY, "metadata": {"a": "b"}},
    ],
)
def test_another_request_is_no_retry(served, other):
    first = served.post("/v1/videos", BODY)
    assert served.post("/v1/videos", other, headers=retry(1))["id"] != first["id"]


def test_another_picture_is_no_retry(served):
    def send(content):
        fields = {"prompt": "pictured", "input_reference": ("upload", content, "image/png")}
        return served.form("/v1/videos", fields, headers=retry(1)).json()["id"]

    assert send(png(64, 64)) != send(png(64, 66))


def test_a_retry_of_another_way_of_asking_is_another_video(served):
    source = served.finished(priority=90)
    body = {"prompt": "the same words"}
    made = served.post(f"/v1/videos/{source.id}/remix", body)
    assert served.post(f"/v1/videos/{source.id}/edits", body, headers=retry(1))["id"] != made["id"]
    assert served.post("/v1/videos", body, headers=retry(1))["id"] != made["id"]
    assert served.post(f"/v1/videos/{source.id}/remix", body, headers=retry(1))["id"] == made["id"]


@pytest.mark.parametrize("said", ["x", "-1", "1.5", "", "9" * 30, "²"])
def test_a_retry_count_that_is_none_is_a_first_sending(served, said):
    first = served.post("/v1/videos", BODY)
    headers = {"x-stainless-retry-count": said.encode()}
    assert served.post("/v1/videos", BODY, headers=headers)["id"] != first["id"]


def test_a_key_makes_one_video(served):
    headers = {"Idempotency-Key": "order-66"}
    first = served.post("/v1/videos", BODY, headers=headers)
    assert served.post("/v1/videos", BODY, headers=headers)["id"] == first["id"]
    served.now += 86_400
    assert served.post("/v1/videos", BODY, headers=headers)["id"] == first["id"]


def test_a_key_of_another_request_is_refused_and_nothing_is_stored(served):
    headers = {"Idempotency-Key": "order-67"}
    served.post("/v1/videos", BODY, headers=headers)
    before = served.stored()
    fields = {"prompt": "other", "input_reference": ("upload", png(), "image/png")}
    error = served.error(served.form("/v1/videos", fields, headers=headers), 422)
    assert error["code"] == "idempotency_key_reused"
    assert served.stored() == before


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none(served, key):
    before = served.stored()
    fields = {"prompt": "other", "input_reference": ("upload", png(), "image/png")}
    answer = served.form("/v1/videos", fields, headers={"Idempotency-Key": key})
    assert served.error(answer)["param"] == "Idempotency-Key"
    assert served.stored() == before


def test_a_full_queue_says_when_to_come_back_and_stores_nothing(tmp_path):
    with serve(tmp_path, queue_limit=2) as served:
        first = served.post("/v1/videos", BODY, headers=retry(0))
        served.post("/v1/videos", BODY, headers=retry(0))
        fields = {**BODY, "input_reference": ("upload", png(), "image/png")}
        answer = served.form("/v1/videos", fields)
        error = served.error(answer, 429)
        assert (error["code"], error["type"]) == ("queue_full", "rate_limit_error")
        assert 1 <= int(answer.headers["retry-after"]) <= 120
        assert served.stored() == []
        assert served.post("/v1/videos", BODY, headers=retry(1))["id"] != ""  # a retry finds its video all the same
        assert served.job(first["id"]).status == "queued"
        assert len(list_jobs(served.db, DEFAULT_PROJECT).jobs) == 2
        served.finish()
        assert served.form("/v1/videos", fields).status_code == 200


def test_projects_do_not_see_each_others_media(tmp_path):
    with serve(tmp_path) as served:
        other = create_project(served.db, "other", served.now)
        _, secret = create_key(served.db, other.id, "key", ["videos.write", "files.write"], served.now)
        theirs = {"authorization": f"Bearer {secret}"}
        source = served.finished()
        clip = ("clip.mp4", served.clip().read_bytes(), "video/mp4")
        character = served.form("/v1/videos/characters", {"name": "Rex", "video": clip}).json()["id"]
        file_id = served.form("/v1/files", {"purpose": "vision", "file": ("a.png", png(), "image/png")}).json()["id"]
        for path, body in (
            (f"/v1/videos/{source.id}/remix", {"prompt": "a"}),
            (f"/v1/videos/{source.id}/edits", {"prompt": "a"}),
            ("/v1/videos/edits", {"prompt": "a", "video": {"id": source.id}}),
            ("/v1/videos/extensions", {"prompt": "a", "video": {"id": source.id}}),
            ("/v1/videos/characters", {"name": "a", "video": {"id": source.id}}),
            ("/v1/videos", {"prompt": "a", "timeline": {"pins": [{"media": source.id}]}}),
            ("/v1/videos", {"prompt": "Rex", "characters": [{"id": character}]}),
            ("/v1/videos", {"prompt": "a", "input_reference": {"file_id": file_id}}),
        ):
            served.error(served.client.post(path, json=body, headers=theirs), 404)
            assert served.client.post(path, json=body).status_code == 200
        for method in ("GET", "DELETE"):
            answer = served.client.request(method, f"/v1/videos/characters/{character}", headers=theirs)
            assert answer.status_code in (403, 404)
        assert served.client.post("/v1/videos", json=BODY, headers=theirs).status_code == 200
        assert len(list_jobs(served.db, other.id).jobs) == 1


def test_a_key_without_the_scope_makes_nothing(tmp_path):
    with serve(tmp_path) as served:
        _, secret = create_key(served.db, DEFAULT_PROJECT, "key", ["videos.read"], served.now)
        headers = {"authorization": f"Bearer {secret}"}
        for path in ("/v1/videos", "/v1/videos/edits", "/v1/videos/extensions", "/v1/videos/sync"):
            served.error(served.client.post(path, json=BODY, headers=headers), 403)
