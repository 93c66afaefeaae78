import pytest

from serving import serve


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("characters")) as served:
        yield served


@pytest.fixture(scope="module")
def clip(served):
    return ("clip.mp4", served.clip().read_bytes(), "application/octet-stream")


def make(served, clip, name="Mossy"):
    answer = served.form("/v1/videos/characters", {"name": name, "video": clip})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_character_has_three_keys(served, clip):
    made = make(served, clip)
    assert list(made) == ["id", "name", "created_at"]
    assert made["name"] == "Mossy"
    assert served.client.get(f"/v1/videos/characters/{made['id']}").json() == made


def test_a_character_of_a_finished_video(served):
    source = served.finished()
    made = served.post("/v1/videos/characters", {"name": "Rex", "video": {"id": source.id}})
    assert served.client.delete(f"/v1/videos/{source.id}").status_code == 200
    video = served.post("/v1/videos", {"prompt": "Rex sleeps", "characters": [{"id": made["id"]}]})
    assert len(served.job(video["id"]).timeline["pins"]) == 1


@pytest.mark.parametrize(("name", "code"), [("", "empty_string"), ("x" * 81, "string_above_max_length")])
def test_a_name_that_will_not_do_leaves_nothing(served, clip, name, code):
    before = served.stored()
    answer = served.form("/v1/videos/characters", {"name": name, "video": clip})
    assert (served.error(answer)["param"], served.error(answer)["code"]) == ("name", code)
    assert served.stored() == before


def test_a_character_needs_a_name_and_a_video(served, clip):
    assert served.error(served.form("/v1/videos/characters", {"video": clip}))["param"] == "name"
    assert served.error(served.form("/v1/videos/characters", {"name": "a"}))["param"] == "video"
    assert served.error(served.form("/v1/videos/characters", {"name": "a", "video": clip, "x": "1"}))["param"] == "x"


def test_characters_are_listed_page_by_page(tmp_path):
    with serve(tmp_path) as served:
        clip = ("clip.mp4", served.clip().read_bytes(), "video/mp4")
        names = [make(served, clip, f"C{number}")["name"] for number in range(3)]
        first = served.client.get("/v1/videos/characters?limit=2").json()
        assert [each["name"] for each in first["data"]] == ["C2", "C1"]
        assert (first["object"], first["has_more"], first["last_id"]) == ("list", True, first["data"][-1]["id"])
        rest = served.client.get(f"/v1/videos/characters?limit=2&after={first['last_id']}").json()
        assert [each["name"] for each in rest["data"]] == ["C0"]
        assert rest["has_more"] is False
        oldest = served.client.get("/v1/videos/characters?order=asc").json()
        assert [each["name"] for each in oldest["data"]] == names
        assert served.client.get("/v1/videos/characters?limit=0").json()["data"] == []


@pytest.mark.parametrize("character_id", ["char_" + "0" * 32, "char_x", "%00", "video_" + "0" * 32])
def test_a_character_that_is_not_there(served, character_id):
    for method in ("GET", "DELETE"):
        answer = served.client.request(method, f"/v1/videos/characters/{character_id}")
        assert served.error(answer, 404)["code"] == "not_found"
    assert served.client.get(f"/v1/videos/characters?after={character_id}").status_code == 404


def test_a_deleted_character_is_gone_and_videos_that_show_it_keep_its_bytes(served, clip):
    made = make(served, clip, "Fern")
    video = served.post("/v1/videos", {"prompt": "Fern", "characters": [{"id": made["id"]}]})
    before = served.stored()
    answer = served.client.delete(f"/v1/videos/characters/{made['id']}")
    assert answer.json() == {"id": made["id"], "object": "character.deleted", "deleted": True}
    assert served.client.delete(f"/v1/videos/characters/{made['id']}").status_code == 404
    assert served.stored() == before
    assert served.client.delete(f"/v1/videos/{video['id']}").status_code == 200
    assert len(served.stored()) == len(before) - 1
