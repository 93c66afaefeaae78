from __future__ import annotations

import ctypes
import errno
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daybreak.media import examine, inspect
from daybreak.media.inspect import MediaFacts, UnusableMedia, inspect_upload, sniff
from daybreak.media.probe import decode_frames
from daybreak.testing import make_clip

Samples = dict[str, Path]

KINDS = {
    "clip.mp4": "video/mp4",
    "clip.mov": "video/quicktime",
    "clip.webm": "video/webm",
    "picture.png": "image/png",
    "picture.jpg": "image/jpeg",
    "picture.webp": "image/webp",
}


def refusal(path: Path, want: str) -> UnusableMedia:
    with pytest.raises(UnusableMedia) as caught:
        inspect_upload(path, want=want)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert "/" not in str(caught.value).replace(f"it is {sniff(path)}", "")  # no path of this machine
    return caught.value


@pytest.mark.parametrize(("name", "content_type"), KINDS.items())
def test_the_facts_are_read_from_the_content(name: str, content_type: str, samples: Samples, tmp_path: Path) -> None:
    misnamed = tmp_path / "readme.txt"
    misnamed.write_bytes(samples[name].read_bytes())
    if content_type.startswith("image/"):
        assert inspect_upload(misnamed, want="image") == MediaFacts("image", content_type, 96, 64)
    else:
        assert inspect_upload(misnamed, want="video") == MediaFacts("video", content_type, 96, 64, 24, 24.0, 1.0)


@pytest.mark.parametrize(("name", "content_type"), KINDS.items())
def test_the_other_kind_is_refused(name: str, content_type: str, samples: Samples) -> None:
    refused = refusal(samples[name], "video" if content_type.startswith("image/") else "image")
    assert refused.code == "unsupported_media"
    assert f"it is {content_type}; use " in str(refused)


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1"])
def test_what_phones_and_browsers_record_is_taken(codec: str, encode_with: Callable[..., None], tmp_path: Path) -> None:
    encode_with(tmp_path / "clip.mp4", codec, make_clip(5, 64, 96), "mp4", 30)
    facts = inspect_upload(tmp_path / "clip.mp4", want="video")
    assert (facts.width, facts.height, facts.num_frames, facts.fps) == (96, 64, 5, 30.0)


def test_a_picture_is_measured_as_it_is_seen(tmp_path: Path) -> None:
    picture = Image.new("RGB", (80, 64), "red")
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    for name in ("a.jpg", "a.png", "a.webp"):
        picture.save(tmp_path / name, exif=exif)
        facts = inspect_upload(tmp_path / name, want="image")
        assert (facts.width, facts.height) == (64, 80), name


def turned(content: bytes) -> bytes:
    """An mp4 whose display matrix says: a quarter clockwise, as a phone held upright writes it."""
    at = content.index(b"tkhd") + 44
    matrix = b"".join(number.to_bytes(4, "big", signed=True) for number in (0, 65536, 0, -65536, 0, 0, 0, 0, 2**30))
    return content[:at] + matrix + content[at + 36 :]


def test_a_video_is_measured_and_decoded_as_it_is_seen(samples: Samples, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(turned(samples["clip.mp4"].read_bytes()))
    facts = inspect_upload(tmp_path / "clip.mp4", want="video")
    assert (facts.width, facts.height, facts.num_frames) == (64, 96, 24)
    upright = decode_frames(tmp_path / "clip.mp4")
    assert upright.shape == (24, 96, 64, 3)
    np.testing.assert_array_equal(upright[0], np.rot90(decode_frames(samples["clip.mp4"])[0], -1))


OTHER = {
    "image/gif": b"GIF89a" + bytes(20),
    "image/bmp": b"BM" + bytes(60),
    "image/tiff": b"II*\0" + bytes(60),
    "image/avif": b"\0\0\0\x20ftypavif" + bytes(60),
    "image/heic": b"\0\0\0\x20ftypheic" + bytes(60),
    "application/pdf": b"%PDF-1.7\n",
}
UNKNOWN = [
    b"",
    b"x",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"<?xml version='1.0'?><MPD/>",
    b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    b"ffconcat version 1.0\nfile /etc/passwd\n",
    b"v=0\r\nm=video 5000 RTP/AVP 96\r\n",
    b"\x7fELF" + bytes(60),
    b"PK\x03\x04" + bytes(60),
]


@pytest.mark.parametrize("want", ["image", "video"])
@pytest.mark.parametrize(("content_type", "content"), [*OTHER.items(), *((None, content) for content in UNKNOWN)])
def test_another_kind_of_file_is_refused_by_its_name(
    want: str, content_type: str | None, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    refused = refusal(tmp_path / "a.mp4", want)
    assert refused.code == "unsupported_media"
    assert (f"it is {content_type};" if content_type else "of no known kind") in str(refused)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.4, 0.6])
def test_a_file_that_was_cut_off_is_refused(name: str, share: float, samples: Samples, tmp_path: Path) -> None:
    content = samples[name].read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    assert refusal(tmp_path / name, KINDS[name].partition("/")[0]).code == "unreadable_media"


def test_a_clip_whose_last_sound_is_missing_is_refused(samples: Samples, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(samples["clip.mp4"].read_bytes()[:-20])
    assert str(refusal(tmp_path / "clip.mp4", "video")) == "the video cannot be used: it is cut off"


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=48_000)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 4096), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        output.mux([*stream.encode(frame), *stream.encode(None)])
    assert "it holds no video" in str(refusal(tmp_path / "a.mp4", "video"))


def test_a_codec_that_nobody_uploads_is_refused(encode_with: Callable[..., None], tmp_path: Path) -> None:
    encode_with(tmp_path / "a.mov", "mpeg2video", make_clip(2), "mov")
    refused = refusal(tmp_path / "a.mov", "video")
    assert refused.code == "unsupported_media"
    assert "its pictures are of a kind that cannot be used" in str(refused)


def playlists(port: int, canary: Path) -> list[bytes]:
    """Lists that name a file of this machine and a server, as they are and behind the head of an mp4."""
    url = f"http://127.0.0.1:{port}/x"
    lists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}.ts\n#EXTINF:1,\nfile://{canary}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{canary}'\nfile {url}\n",
        f"<MPD type='static'><BaseURL>{url}</BaseURL><Period><AdaptationSet mimeType='video/mp4'>"
        f"<Representation id='a'><SegmentList><SegmentURL media='{url}'/></SegmentList></Representation>"
        "</AdaptationSet></Period></MPD>",
        f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video {port} RTP/AVP 96\r\n",
    ]
    heads = [b"", b"\0\0\0\x14ftypisom\0\0\0\0isom", b"\x1aE\xdf\xa3\x80", b"\0\0\0\x08wide"]
    return [head + text.encode() for head in heads for text in lists]


def test_a_playlist_makes_nobody_read_or_call_anything(tmp_path: Path) -> None:
    canary, calls = tmp_path / "canary.mp4", []
    canary.write_bytes(b"secret")
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                calls.append(listener.accept())
            except OSError:
                return

    thread = threading.Thread(target=listen)
    thread.start()
    for number, content in enumerate(playlists(listener.getsockname()[1], canary)):
        (tmp_path / f"{number}.mp4").write_bytes(content)
        refusal(tmp_path / f"{number}.mp4", "video")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    assert calls == []


LOCKED = """
import importlib.util, json, os, socket, sys
spec = importlib.util.spec_from_file_location("examine", sys.argv[1])
examine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(examine)
attempts = {
    "open": lambda: open("/etc/passwd"),
    "write": lambda: open(sys.argv[2], "w"),
    "socket": socket.socket,
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(os.getppid(), 0),
    "unlink": lambda: os.unlink(sys.argv[1]),
}
locked, answers = examine.lock(), {}
for name, attempt in attempts.items():
    try:
        attempt()
        answers[name] = 0
    except OSError as error:
        answers[name] = error.errno
print(json.dumps([locked, answers]))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "prctl"), reason="the lock is Linux's seccomp")
def test_a_process_that_is_locked_can_open_and_start_nothing(tmp_path: Path) -> None:
    script = tmp_path / "examine.py"
    script.write_bytes(Path(examine.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", "-c", LOCKED, str(script), str(tmp_path / "written")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    locked, answers = json.loads(done.stdout)
    assert locked
    assert set(answers.values()) == {errno.EPERM}
    assert script.exists()
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import ctypes; ctypes.string_at(0)", "unreadable_media"),
        ("raise SystemExit(3)", "unreadable_media"),
        ("print('not json')", "unreadable_media"),
        ("print('[1]')", "unreadable_media"),
        ("print('{\"code\": \"x\"' + ' ' * 10**6)", "unreadable_media"),
        ("import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass", "media_too_large"),
        ("import time; time.sleep(60)", "media_too_large"),
    ],
)
def test_a_process_that_does_not_answer_is_a_refusal(
    program: str, code: str, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(inspect, "_EXAMINE", tmp_path / "program.py")
    if "sleep" in program:
        monkeypatch.setattr(inspect, "WALL_SECONDS", 0.3)
    assert refusal(samples["picture.png"], "image").code == code
