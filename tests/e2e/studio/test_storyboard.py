"""The time axis of a storyboard under a real mouse: cards, their edges, held media, the end, the playhead."""

from __future__ import annotations

from typing import Any

import pytest

from live_server import LiveServer, until

expect = pytest.importorskip("playwright.sync_api").expect
SHOTS = [(0.0, 2.0), (2.0, 2.0), (5.0, 2.0)]  # start and length, in seconds
PINS = [(1.0, 1.0), (6.0, 1.0)]


class Axis:
    """A storyboard on the page, pulled at in seconds; what it is now comes from the server, where it is saved."""

    def __init__(self, page: Any, studio: LiveServer, clip: str) -> None:
        self.page, self.studio = page, studio
        shots = [
            {"id": f"s{number}", "prompt": f"shot {number}", "start": start, "length": length}
            for number, (start, length) in enumerate(SHOTS)
        ]
        pin = {"kind": "image", "media": clip, "strength": 1, "mediaStart": 0, "mediaSeconds": None}
        media = [
            {"id": f"m{number}", "name": f"picture {number}", "start": start, "length": length, **pin}
            for number, (start, length) in enumerate(PINS)
        ]
        content = {"model": "tiny", "width": 128, "height": 128, "fps": 8, "seconds": 8, "shots": shots, "media": media}
        body = {"kind": "storyboard", "name": "Pulled", "content": content}
        self.id = studio.post("/v1/library/documents", body)["id"]
        page.goto(f"/storyboard/{self.id}")
        self.shots = page.get_by_role("listbox", name="Shots").get_by_role("option")
        self.pins = page.get_by_role("listbox", name="Pictures and clips").get_by_role("option")
        expect(self.shots).to_have_count(len(SHOTS))
        page.get_by_role("button", name="Snap").click()  # exact to a frame without it
        self.scale = self.measure()

    def measure(self) -> float:
        """Pixels of a second now, while no shot was moved."""
        first, last = self.shots.first.bounding_box(), self.shots.last.bounding_box()
        return float(last["x"] - first["x"]) / (SHOTS[-1][0] - SHOTS[0][0])

    def drag(self, what: Any, seconds: float, edge: str | None = None) -> None:
        """Presses on the card, or on an edge of it, and lets go that much later or earlier."""
        box = (what.locator(f"[data-edge={edge}]") if edge else what).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        for part in range(1, 11):
            mouse.move(x + seconds * self.scale * part / 10, y)
        mouse.up()

    def is_now(self, lane: str, *spans: tuple[str, float, float]) -> None:
        """Waits until the server has these cards of a lane: id, start and length, to a frame."""

        def look() -> bool:
            cards = self.studio.get(f"/v1/library/documents/{self.id}")["content"][lane]
            found = [(card["id"], card["start"], card["length"]) for card in cards]
            return [one[0] for one in found] == [one[0] for one in spans] and all(
                abs(one[1] - span[1]) <= 1 / 8 and abs(one[2] - span[2]) <= 1 / 8
                for one, span in zip(found, spans, strict=True)
            )

        until(look, seconds=30)


@pytest.fixture
def axis(page: Any, studio: LiveServer, clip: str) -> Axis:
    return Axis(page, studio, clip)


def words_of(axis: Axis) -> str:
    """What the server has of the first shot's words."""
    prompt: str = axis.studio.get(f"/v1/library/documents/{axis.id}")["content"]["shots"][0]["prompt"]
    return prompt


def test_the_last_words_before_the_window_is_closed_are_kept(axis: Axis) -> None:
    axis.page.get_by_label("What shot 1 shows").fill("the last words")
    axis.page.close()
    until(lambda: words_of(axis) == "the last words", seconds=30)


def test_words_written_while_the_server_is_away_are_saved_when_it_is_back(axis: Axis, watched: Any) -> None:
    watched.expected += ["Failed to load resource", "ERR_CONNECTION", "ERR_INCOMPLETE", "event-stream"]
    axis.studio.kill()
    axis.page.get_by_label("What shot 1 shows").fill("written meanwhile")
    expect(axis.page.get_by_text("Not saved yet: it is tried again by itself")).to_be_visible()
    axis.studio.start()
    expect(axis.page.get_by_text("Saved", exact=True)).to_be_visible()
    assert words_of(axis) == "written meanwhile"


def test_a_shot_is_split_in_its_middle_while_the_playhead_is_elsewhere(axis: Axis) -> None:
    axis.page.get_by_role("button", name="Split in the middle").click()
    expect(axis.shots).to_have_count(len(SHOTS) + 1)
    lengths = [axis.shots.nth(number).bounding_box()["width"] for number in range(2)]
    assert abs(lengths[0] - lengths[1]) <= 2


def test_a_shot_is_dragged_into_the_gap_and_past_its_neighbour(axis: Axis) -> None:
    axis.drag(axis.shots.nth(1), 0.5)
    axis.is_now("shots", ("s0", 0, 2), ("s1", 2.5, 2), ("s2", 5, 2))
    axis.drag(axis.shots.nth(0), 3.2)  # past the middle of the next one: they change places, and it goes on moving
    axis.is_now("shots", ("s1", 0.5, 2), ("s0", 3, 2), ("s2", 5, 2))
    axis.page.mouse.move(300, 300)  # nothing hangs on the pointer any more
    axis.page.keyboard.press("Control+z")
    axis.is_now("shots", ("s0", 0, 2), ("s1", 2.5, 2), ("s2", 5, 2))
    axis.page.keyboard.press("Control+z")
    axis.is_now("shots", ("s0", 0, 2), ("s1", 2, 2), ("s2", 5, 2))


def test_edges_of_a_shot_push_what_follows_or_stop_at_it(axis: Axis) -> None:
    axis.drag(axis.shots.nth(0), 1, edge="end")
    axis.is_now("shots", ("s0", 0, 3), ("s1", 3, 2), ("s2", 6, 2))
    axis.drag(axis.shots.nth(1), 0.5, edge="start")
    axis.is_now("shots", ("s0", 0, 3), ("s1", 3.5, 1.5), ("s2", 6, 2))
    axis.page.keyboard.down("Alt")
    axis.drag(axis.shots.nth(1), 3, edge="end")
    axis.page.keyboard.up("Alt")
    axis.is_now("shots", ("s0", 0, 3), ("s1", 3.5, 2.5), ("s2", 6, 2))


def test_the_last_shot_grows_under_the_pointer_and_the_clip_with_it(axis: Axis) -> None:
    before = axis.shots.nth(2).bounding_box()
    axis.page.get_by_role("button", name="Zoom out").wait_for()
    axis.drag(axis.shots.nth(2), 1.4, edge="end")
    axis.is_now("shots", ("s0", 0, 2), ("s1", 2, 2), ("s2", 5, 3.4))
    expect(axis.page.get_by_role("slider", name="Length of the clip")).to_have_attribute("aria-valuetext", "8.4 s")
    assert axis.shots.nth(2).bounding_box()["x"] < before["x"]  # the axis is drawn anew once it is let go


def test_held_pictures_are_dragged_and_resized_up_to_each_other(axis: Axis) -> None:
    axis.drag(axis.pins.nth(0), 2)
    axis.is_now("media", ("m0", 3, 1), ("m1", 6, 1))
    axis.drag(axis.pins.nth(0), 0.5, edge="end")
    axis.is_now("media", ("m0", 3, 1.5), ("m1", 6, 1))
    axis.drag(axis.pins.nth(0), -1, edge="start")
    axis.is_now("media", ("m0", 2, 2.5), ("m1", 6, 1))
    axis.drag(axis.pins.nth(0), 3, edge="end")
    axis.is_now("media", ("m0", 2, 4), ("m1", 6, 1))
    axis.drag(axis.pins.nth(1), 3)  # at the end of the clip it stops
    axis.is_now("media", ("m0", 2, 4), ("m1", 7, 1))


def test_the_end_and_the_playhead_follow_the_mouse(axis: Axis) -> None:
    end = axis.page.get_by_role("slider", name="Length of the clip")
    axis.drag(end, -0.5)
    expect(end).to_have_attribute("aria-valuetext", "7.5 s")
    axis.drag(end, -3)
    expect(end).to_have_attribute("aria-valuetext", "7 s")  # not shorter than what lies on it
    ruler = axis.page.get_by_text("0 s", exact=True).first
    box, scale = ruler.bounding_box(), axis.measure()
    axis.page.mouse.click(box["x"] + 2 * scale, box["y"] + 4)
    expect(axis.page.get_by_role("status", name="Playhead")).to_contain_text("00:02:0")
    axis.shots.nth(0).click()
    axis.shots.nth(1).click(position={"x": 30, "y": 10})
    axis.is_now("shots", ("s0", 0, 2), ("s1", 2, 2), ("s2", 5, 2))  # a click moves nothing
