import pytest

from daybreak.server.errors import ApiError
from daybreak.server.options import parse_seconds, parse_size, read_options, read_shape
from daybreak.server.parameters import Parameters
from daybreak.shapes import VideoSpec


def shape(**fields):
    parameters = Parameters(fields)
    read = read_shape(parameters)
    parameters.finish()
    return read


def options(**fields):
    parameters = Parameters(fields)
    read = read_options(parameters)
    parameters.finish()
    return read


def refused(read, **fields):
    with pytest.raises(ApiError) as caught:
        read(**fields)
    assert caught.value.status == 400
    return caught.value


def test_the_defaults_are_soras():
    read = shape()
    assert (read.size, read.seconds, read.spec) == ("720x1280", "4", VideoSpec(96, 1280, 720, 24.0))


@pytest.mark.parametrize(
    "size", ["720x1280", "1280x720", "1024x1792", "1792x1024", "1920x1080", "1080x1920", "64x2048"]
)
def test_soras_sizes_and_any_other_even_one(size):
    read = shape(size=size)
    assert read.size == size
    assert f"{read.spec.width}x{read.spec.height}" == size


@pytest.mark.parametrize("size", ["640x361", "62x64", "2050x64", "640", "x", "640x360x2", "", "６４０x360", "-64x64"])
def test_a_bad_size_is_refused_in_the_words_of_the_api(size):
    error = refused(shape, size=size)
    known = "'720x1280', '1280x720', '1024x1792', '1792x1024'"
    assert error.message.startswith(f"Invalid value: '{size}'. Supported values are: {known}, ")
    assert (error.param, error.code, error.type) == ("size", "invalid_value", "invalid_request_error")


def test_a_size_of_another_type():
    error = refused(shape, size=640)
    assert error.message.startswith("Invalid type for 'size': expected one of '720x1280', ")
    assert error.code == "invalid_type"


@pytest.mark.parametrize(
    ("said", "wire", "frames"),
    [
        ("4", "4", 96),
        (4, "4", 96),
        ("12", "12", 288),
        (20, "20", 480),
        (2.5, "2.5", 60),
        ("25", "25", 600),
        ("4.0", "4", 96),
    ],
)
def test_seconds_as_texts_and_as_numbers(said, wire, frames):
    read = shape(seconds=said)
    assert (read.seconds, read.spec.num_frames) == (wire, frames)


@pytest.mark.parametrize("seconds", ["0", "121", "-4", "four", "", "1e9", "nan", "0.0001"])
def test_bad_seconds_are_refused_in_the_words_of_the_api(seconds):
    error = refused(shape, seconds=seconds)
    assert error.message.startswith(f"Invalid value: '{seconds}'. Supported values are: '4', '8', '12', ")
    assert (error.param, error.code) == ("seconds", "invalid_value")


@pytest.mark.parametrize(("seconds", "named"), [(True, "a boolean"), ([4], "an array"), ({}, "an object")])
def test_seconds_of_another_type(seconds, named):
    error = refused(shape, seconds=seconds)
    assert error.message.startswith("Invalid type for 'seconds': expected one of '4', '8', '12', ")
    assert error.message.endswith(f"but got {named} instead.")
    assert error.code == "invalid_type"


def test_what_other_servers_clients_say_of_the_shape():
    read = shape(width="832", height="480", num_frames="81", fps="16")
    assert (read.size, read.seconds, read.spec) == ("832x480", "5.062", VideoSpec(81, 480, 832, 16.0))
    assert shape(video_params={"width": 832, "height": 480, "num_frames": 81, "fps": 16}) == read


def test_a_number_of_frames_is_exact_and_agrees_with_the_seconds():
    assert shape(seconds=5, fps=16, num_frames=81).seconds == "5.062"
    assert refused(shape, seconds=10, fps=16, num_frames=81).param == "num_frames"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"width": 832}, "height"),
        ({"height": 832}, "width"),
        ({"width": 832, "height": 480, "size": "720x1280"}, "width"),
        ({"width": 833, "height": 480}, "size"),
        ({"width": 63, "height": 480}, "width"),
        ({"fps": 0.5}, "fps"),
        ({"fps": 121}, "fps"),
        ({"num_frames": 0}, "num_frames"),
        ({"num_frames": 9000, "fps": 24}, "seconds"),  # too long
        ({"size": "1920x1080", "seconds": 60}, "seconds"),  # too much memory
        ({"video_params": {"cfg": 3}}, "video_params.cfg"),
        ({"video_params": "832x480"}, "video_params"),
    ],
)
def test_a_shape_that_cannot_be_made(fields, param):
    assert refused(shape, **fields).param == param


def test_the_shape_of_a_timeline():
    spec = VideoSpec(49, 256, 448, 12.0)
    assert read_shape(Parameters({}), spec).spec == spec
    assert read_shape(Parameters({"size": "448x256", "seconds": "4.083"}), spec).spec == spec
    for fields, param in (({"size": "720x1280"}, "timeline.spec.width"), ({"seconds": 8}, "timeline.spec.num_frames")):
        with pytest.raises(ApiError) as caught:
            read_shape(Parameters(fields), spec)
        assert caught.value.param == param


def test_nothing_said_leaves_the_choice_to_the_model_and_takes_some_seed():
    read = options()
    assert read.settings.num_inference_steps is None
    assert read.settings.guidance_scale is None
    assert (read.model, read.negative_prompt, read.priority, read.metadata, read.expires_after) == (
        None,
        "",
        0,
        {},
        None,
    )
    assert len({options().settings.seed for _ in range(20)}) > 1
    assert len({options(seed=-1).settings.seed for _ in range(20)}) > 1


def test_everything_said():
    read = options(
        model="dawn",
        seed="42",
        num_inference_steps=4,
        guidance_scale="3.5",
        step_cache="0.5",
        negative_prompt="blur",
        priority=-5,
        metadata={"a": "b"},
        expires_after=3600,
        n=1,
        quality="standard",
        stream=False,
        user="u-1",
        lora=None,
        extra_params={},
    )
    assert (read.settings.seed, read.settings.num_inference_steps, read.settings.guidance_scale) == (42, 4, 3.5)
    assert read.settings.step_cache == 0.5
    assert read.metadata == {"a": "b", "user": "u-1"}
    assert (read.model, read.negative_prompt, read.priority, read.expires_after) == ("dawn", "blur", -5, 3600)


def test_an_expiry_as_an_object():
    assert options(expires_after={"anchor": "completed_at", "seconds": "86400"}).expires_after == 86400
    assert refused(options, expires_after={"anchor": "created_at", "seconds": 86400}).param == "expires_after.anchor"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"stream": True}, "stream"),
        ({"quality": "draft"}, "quality"),
        ({"flow_shift": 3}, "flow_shift"),
        ({"guidance_scale_2": 3}, "guidance_scale_2"),
        ({"boundary_ratio": 0.8}, "boundary_ratio"),
        ({"lora": {"name": "x"}}, "lora"),
        ({"extra_params": {"a": 1}}, "extra_params"),
        ({"seed": -2}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"guidance_scale": 101}, "guidance_scale"),
        ({"step_cache": 2.1}, "step_cache"),
        ({"step_cache": "much"}, "step_cache"),
        ({"priority": 101}, "priority"),
        ({"metadata": "a"}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {"a": "x" * 513}}, "metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"expires_after": 59}, "expires_after"),
        ({"expires_after": "soon"}, "expires_after"),
        ({"output_path": "/tmp/x"}, "output_path"),
    ],
)
def test_an_option_that_cannot_be_honoured(fields, param):
    assert refused(options, **fields).param == param


def test_nothing_is_a_size_and_no_length():
    assert parse_size(None) is None
    assert parse_seconds(None) is None
