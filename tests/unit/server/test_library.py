"""The library on the wire: found again, filed, trashed, repeated, exported; and the live queue."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from daybreak.jobs.job import JobError, Progress
from daybreak.jobs.queue import claim, fail, heartbeat, save_preview
from daybreak.server.exports import file_name
from daybreak.server.live import Teller
from serving import Served

PROJECT = "proj_default"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


def get(served: Served, path: str, **query: Any) -> Any:
    answer = served.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(served: Served, **query: Any) -> list[str]:
    return [item["id"] for item in get(served, "/v1/library", **query)["data"]]


def change(served: Served, video: str, **fields: Any) -> Any:
    answer = served.client.patch(f"/v1/library/items/{video}", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def bulk(served: Served, action: str, *videos: str, **more: Any) -> list[str]:
    return list(served.post("/v1/library/bulk", {"action": action, "ids": list(videos), **more})["changed"])


def test_clips_are_found_by_all_of_their_words(served: Served) -> None:
    dog = served.finished("A brown dog runs").id
    cat = served.finished("a black cat sleeps").id
    change(served, cat, title="Dog days", tags=["100%_sure"])
    assert ids(served) == [cat, dog]
    assert ids(served, q="DOG") == [cat, dog]
    assert ids(served, q="runs dog") == [dog]
    assert ids(served, q="100%_") == [cat]
    assert ids(served, q="0__s") == []
    assert ids(served, order="oldest") == [dog, cat]
    page = get(served, "/v1/library", offset=1, limit=1)
    assert ([item["id"] for item in page["data"]], page["total"], page["offset"]) == ([dog], 2, 1)


def test_clips_are_filed_and_counted(served: Served) -> None:
    first, second = served.finished("one").id, served.finished("two").id
    folder = served.post("/v1/library/folders", {"name": " Trailer "})["id"]
    assert bulk(served, "move", first, folder_id=folder) == [first]
    assert sorted(bulk(served, "tag", first, second, tag="wip")) == sorted([first, second])
    change(served, second, favourite=True)
    assert ids(served, folder=folder) == [first]
    assert ids(served, folder="none") == [second]
    assert ids(served, favourite=True) == [second]
    facets = get(served, "/v1/library/facets")
    assert (facets["total"], facets["favourites"], facets["trashed"]) == (2, 1, 0)
    assert [(one["name"], one["count"]) for one in facets["folders"]] == [("Trailer", 1)]
    assert facets["tags"] == [{"name": "wip", "count": 2}]
    assert facets["sizes"] == [{"name": "96x64", "count": 2}]
    bulk(served, "untag", second, tag="wip")
    assert ids(served, tag="wip") == [first]
    assert served.client.delete(f"/v1/library/folders/{folder}").status_code == 200
    assert ids(served, folder="none") == [second, first]


def test_the_trash_gives_back_and_deletes_for_good(served: Served) -> None:
    kept, gone = served.finished("kept").id, served.finished("gone").id
    bulk(served, "trash", kept, gone)
    assert ids(served) == []
    assert ids(served, trashed=True) == [gone, kept]
    bulk(served, "restore", kept)
    assert ids(served) == [kept]
    assert served.post("/v1/library/empty_trash")["changed"] == [gone]
    assert served.client.get(f"/v1/videos/{gone}").status_code == 404
    assert [key for key in served.stored() if gone in key] == []
    assert [key for key in served.stored() if kept in key] != []


def test_stars_are_given_found_and_taken_away(served: Served) -> None:
    good, better = served.finished("good").id, served.finished("better").id
    assert change(served, better, rating=5)["rating"] == 5
    assert bulk(served, "rate", good, rating=3) == [good]
    assert ids(served, rating=4) == [better]
    assert ids(served, order="best", rating=1) == [better, good]
    assert change(served, better, title="Best")["rating"] == 5
    bulk(served, "rate", good, better, rating=0)
    assert ids(served, rating=0) == [better, good]
    made = get(served, f"/v1/library/items/{good}")["created_at"]
    assert ids(served, created_from=made, created_before=made + 1) == [better, good]
    assert ids(served, created_from=made + 1) == []


def test_a_title_is_given_and_taken_away(served: Served) -> None:
    video = served.finished().id
    assert change(served, video, title="Opening")["title"] == "Opening"
    assert change(served, video, favourite=True)["title"] == "Opening"
    assert change(served, video, title="")["title"] is None


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/library/bulk", {"action": "burn", "ids": []}, "action"),
        ("/v1/library/bulk", {"ids": []}, "action"),
        ("/v1/library/bulk", {"action": "trash", "ids": "video_1"}, "ids"),
        ("/v1/library/bulk", {"action": "tag", "ids": []}, "tag"),
        ("/v1/library/bulk", {"action": "rate", "ids": []}, "rating"),
        ("/v1/library/bulk", {"action": "rate", "ids": [], "rating": 6}, "rating"),
        ("/v1/library/folders", {"name": "   "}, "name"),
        ("/v1/library/documents", {"kind": "film", "name": "x", "content": {}}, "kind"),
        ("/v1/library/documents", {"kind": "style", "name": "x"}, "content"),
        ("/v1/library/keys", {"name": "x", "scopes": ["root"]}, "scopes"),
    ],
)
def test_what_cannot_be_done_is_said(served: Served, path: str, body: Any, param: str) -> None:
    assert served.error(served.client.post(path, json=body))["param"] == param


def test_a_strangers_folder_is_not_there(served: Served) -> None:
    video = served.finished().id
    body = {"action": "move", "ids": [video], "folder_id": "fold_" + "0" * 32}
    assert served.error(served.client.post("/v1/library/bulk", json=body), 404)["code"] == "not_found"
    assert served.error(served.client.patch(f"/v1/library/items/{video}", json={"colour": "red"}))["param"] == "colour"


def test_nothing_of_another_project_is_seen(served: Served) -> None:
    from daybreak.database.keys import create_key
    from daybreak.database.projects import create_project

    video = served.finished("secret").id
    folder = served.post("/v1/library/folders", {"name": "mine"})["id"]
    board = served.post("/v1/library/documents", {"kind": "storyboard", "name": "mine", "content": {}})["id"]
    other = create_project(served.db, "other", served.now).id
    _, secret = create_key(served.db, other, "k", ["admin"], served.now)
    headers = {"authorization": f"Bearer {secret}"}
    for path in (
        f"items/{video}", f"items/{video}/lineage", f"items/{video}/preview", f"items/{video}/export",
        f"documents/{board}", f"download?ids={video}",
    ):  # fmt: skip
        assert served.client.get(f"/v1/library/{path}", headers=headers).status_code == 404, path
    for method, path in (("DELETE", f"folders/{folder}"), ("DELETE", f"documents/{board}")):
        assert served.client.request(method, f"/v1/library/{path}", headers=headers).status_code == 404
    assert served.client.get("/v1/library", headers=headers).json()["total"] == 0
    assert served.client.get("/v1/library/facets", headers=headers).json()["folders"] == []
    trash = {"action": "trash", "ids": [video]}
    assert served.client.post("/v1/library/bulk", json=trash, headers=headers).json()["changed"] == []
    again = served.client.post(f"/v1/library/items/{video}/again", json={}, headers=headers)
    assert again.status_code == 404


def test_previews_come_and_go_without_an_error(served: Served) -> None:
    video = served.post("/v1/videos", {"prompt": "a dog", "seconds": 1, "size": "96x64"})["id"]
    path = f"/v1/library/items/{video}/preview"
    assert served.client.get(path).status_code == 204
    claimed = claim(served.db, "worker", served.now, 15)
    assert claimed is not None
    save_preview(served.db, claimed, 2, b"RIFF")
    shown = served.client.get(path, params={"step": 2})
    assert (shown.status_code, shown.content, shown.headers["content-type"]) == (200, b"RIFF", "image/webp")
    assert shown.headers["cache-control"] == "private, max-age=600"
    assert served.client.get(path, params={"step": 1}).headers["cache-control"] == "no-store", "a newer one was sent"
    fail(served.db, claimed, JobError("out_of_memory", "no memory"), served.now)
    assert served.client.get(path, params={"step": 2}).status_code == 204


def test_again_is_the_same_or_another_seed(served: Served) -> None:
    job = served.finished(seed=5)
    same = served.job(served.post(f"/v1/library/items/{job.id}/again", {"seed": "same"})["id"])
    new = served.job(served.post(f"/v1/library/items/{job.id}/again", {"seed": "new"})["id"])
    assert (same.settings, same.timeline, same.prompt) == (job.settings, job.timeline, job.prompt)
    assert new.settings["seed"] != 5
    assert {**new.settings, "seed": 5} == job.settings


def test_lineage_goes_up_and_down(served: Served) -> None:
    source = served.finished("source").id
    child = served.post(f"/v1/videos/{source}/remix", {"prompt": "child"})["id"]
    served.finish()
    other = served.finished("other").id
    family = get(served, f"/v1/library/items/{child}/lineage")["data"]
    assert {kin["id"]: kin["sources"] for kin in family} == {source: [], child: [source]}
    assert served.client.delete(f"/v1/videos/{source}").status_code == 200
    kin = {kin["id"]: kin for kin in get(served, f"/v1/library/items/{child}/lineage")["data"]}
    assert (kin[source]["gone"], kin[source]["prompt"], kin[child]["gone"]) == (True, None, False)
    assert [kin["id"] for kin in get(served, f"/v1/library/items/{other}/lineage")["data"]] == [other]


def test_documents_are_kept(served: Served) -> None:
    made = served.post("/v1/library/documents", {"kind": "storyboard", "name": "A", "content": {"shots": [1]}})
    path = f"/v1/library/documents/{made['id']}"
    saved = served.client.put(path, json={"name": "B", "content": {"shots": [2]}}).json()
    assert (saved["name"], saved["content"]) == ("B", {"shots": [2]})
    listed = get(served, "/v1/library/documents", kind="storyboard")["data"]
    assert [(one["name"], "content" in one) for one in listed] == [("B", False)]
    assert get(served, "/v1/library/documents", kind="storyboard", content=True)["data"][0]["content"] == {"shots": [2]}
    assert served.client.delete(path).status_code == 200
    assert served.client.get(path).status_code == 404


def test_the_order_of_the_queue_is_the_owners(served: Served) -> None:
    made = [served.post("/v1/videos", {"prompt": f"{n}", "seconds": 1, "size": "96x64"})["id"] for n in range(3)]
    queue = lambda: [job["id"] for job in get(served, "/v1/library/queue")["data"]]  # noqa: E731
    assert queue() == made
    assert served.post(f"/v1/library/queue/{made[2]}", {"where": "first"})["data"] == [made[2], made[0], made[1]]
    assert served.post(f"/v1/library/queue/{made[1]}", {"where": "up"})["data"] == [made[2], made[1], made[0]]
    assert served.post(f"/v1/library/queue/{made[2]}", {"where": "last"})["data"] == [made[1], made[0], made[2]]
    assert queue() == [made[1], made[0], made[2]]
    done = served.finish()
    assert done.id == made[1]
    assert served.error(served.client.post(f"/v1/library/queue/{done.id}", json={}))["code"] == "not_queued"


def events(news: bytes) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in news.decode().strip().split("\n\n") if block]
    return [(head.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for head, data in blocks]


def test_listeners_hear_each_thing_once(served: Served) -> None:
    teller = Teller()
    assert events(teller.news(served.context, PROJECT)) == [("queue", []), ("paused", {"paused_at": None})]
    assert teller.news(served.context, PROJECT) == b""
    video = served.post("/v1/videos", {"prompt": "x", "seconds": 1, "size": "96x64"})["id"]
    heard = dict(events(teller.news(served.context, PROJECT)))
    assert [(job["id"], job["status"], job["position"]) for job in heard["queue"]] == [(video, "queued", 1)]
    claimed = claim(served.db, "worker", served.now, 15)
    assert claimed is not None
    heartbeat(served.db, claimed, served.now, 15, Progress("generating", 1, 4))
    [(name, [job])] = [one for one in events(teller.news(served.context, PROJECT)) if one[0] == "queue"]
    assert (name, job["stage"], job["steps_done"], job["progress"]) == ("queue", "generating", 1, 25)
    heartbeat(served.db, claimed, served.now, 15, Progress("generating", 2, 4))
    assert [name for name, _ in events(teller.news(served.context, PROJECT))] == ["queue"]  # a step changes no list


def test_a_queue_is_paused_and_goes_on(served: Served) -> None:
    teller = Teller()
    teller.news(served.context, PROJECT)
    assert get(served, "/v1/queue") == {
        "object": "queue", "paused": False, "paused_at": None, "queued": 0, "in_progress": 0,
    }  # fmt: skip
    paused = served.post("/v1/queue/pause", {})
    assert (paused["paused"], paused["paused_at"]) == (True, int(served.now))
    assert events(teller.news(served.context, PROJECT)) == [("paused", {"paused_at": int(served.now)})]
    served.post("/v1/videos", {"prompt": "x", "seconds": 1, "size": "96x64"})
    assert claim(served.db, "worker", served.now, 15) is None
    queue = get(served, "/v1/library/queue")
    assert (queue["paused_at"], [job["eta_seconds"] for job in queue["data"]]) == (int(served.now), [None])
    question = {"model": "sora-2", "size": "96x64", "seconds": 1}
    assert get(served, "/v1/library/estimate", **question)["waiting"] is None
    assert served.post("/v1/queue/resume", {})["paused"] is False
    assert ("paused", {"paused_at": None}) in events(teller.news(served.context, PROJECT))
    assert claim(served.db, "worker", served.now, 15) is not None


def test_listeners_hear_how_a_job_ended(served: Served) -> None:
    teller = Teller()
    served.post("/v1/videos", {"prompt": "x", "seconds": 1, "size": "96x64"})
    teller.news(served.context, PROJECT)
    served.finish(error=JobError("out_of_memory", "Not enough."))
    heard = dict(events(teller.news(served.context, PROJECT)))
    assert heard["queue"] == []
    assert [(one["status"], one["error"]["code"]) for one in heard["ended"]] == [("failed", "out_of_memory")]
    assert "changed" in heard


def test_a_zip_holds_clips_and_what_made_them(served: Served) -> None:
    first, second = served.finished("A dog/../run").id, served.finished("a DOG run").id
    answer = served.client.get("/v1/library/download", params={"ids": f"{first},{second}"})
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert names == ["a-dog-run.mp4", "a-dog-run.json", "a-dog-run-2.mp4", "a-dog-run-2.json"]
    assert archive.read("a-dog-run.mp4") == served.clip().read_bytes()
    assert json.loads(archive.read("a-dog-run-2.json"))["id"] == second


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "日本", "a" * 500, "CON", '"; x="'])
def test_file_names_are_never_paths(text: str) -> None:
    name = file_name(text)
    assert 0 < len(name) <= 60
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def exported(served: Served, video: str, **query: Any) -> bytes:
    answer = served.client.get(f"/v1/library/items/{video}/export", params=query)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def test_exports_are_what_they_say(served: Served) -> None:
    video = served.finished().id
    with av.open(io.BytesIO(exported(served, video, format="webm", scale=2, start=0.25, end=0.75))) as clip:
        stream = clip.streams.video[0]
        assert (stream.codec_context.width, stream.codec_context.height) == (192, 128)
        assert sum(1 for _ in clip.decode(stream)) == 12
    picture = Image.open(io.BytesIO(exported(served, video, format="gif", scale=0.5)))
    assert (picture.format, picture.size) == ("GIF", (48, 32))
    frames = zipfile.ZipFile(io.BytesIO(exported(served, video, format="png", end=0.25)))
    assert frames.namelist() == [f"frame_{number:05d}.png" for number in range(1, 7)]


def test_an_export_of_nothing_is_refused(served: Served) -> None:
    video = served.finished().id
    answer = served.client.get(f"/v1/library/items/{video}/export", params={"start": 0.5, "end": 0.25})
    assert "ends after it starts" in served.error(answer)["message"]
    answer = served.client.get(f"/v1/library/items/{video}/export", params={"start": 30})
    assert "no frames" in served.error(answer)["message"]


def test_a_foreign_file_has_no_settings(served: Served) -> None:
    clip = served.clip().read_bytes()
    answer = served.form("/v1/library/read-settings", {"file": ("x.mp4", clip, "video/mp4")})
    assert served.error(answer)["code"] == "no_settings"


def test_estimates_come_from_what_was_measured(served: Served) -> None:
    question = {"model": "sora-2", "size": "96x64", "seconds": 1}
    assert get(served, "/v1/library/estimate", **question)["seconds"] is None
    served.finished()
    assert get(served, "/v1/library/estimate", **question, count=2)["seconds"] == 3.0


def test_usage_counts_each_byte_once(served: Served) -> None:
    source = served.finished().id
    served.post(f"/v1/videos/{source}/remix", {"prompt": "again"})
    usage = get(served, "/v1/library/usage")
    assert (usage["clips"], usage["bytes"]) == (1, served.clip().stat().st_size)


def test_keys_are_made_and_revoked(served: Served) -> None:
    made = served.post("/v1/library/keys", {"name": "ci", "scopes": ["videos.read"]})
    headers = {"authorization": f"Bearer {made['secret']}"}
    assert served.client.get("/v1/library", headers=headers).status_code == 200
    assert served.client.get("/v1/library/keys", headers=headers).status_code == 403
    [listed] = get(served, "/v1/library/keys")["data"]
    assert "secret" not in listed
    assert served.client.delete(f"/v1/library/keys/{listed['id']}").status_code == 200
    assert get(served, "/v1/library/keys")["data"][0]["revoked_at"] is not None
