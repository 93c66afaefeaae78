"""The clauses people use for where, when, in what weather, through which camera and in what style.

Like `vocabulary.py`, every phrase is both written by the caption grammar and read by the parser.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A place and its prepositions: "in" for something that stays, "across" for something that moves."""

    at: str
    along: str
    name: str  # with its article


def _places(text: str) -> tuple[Place, ...]:
    return tuple(Place(*(part.strip() for part in row.split("|"))) for row in text.split(";"))


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


PLACES: dict[str, tuple[Place, ...]] = {
    "meadow": _places(
        "in|across|a meadow; in|across|a field; on|over|the grass; in|across|a grassy field; in|over|the grassland; "
        "in|across|a pasture; "
        "on|across|a lawn; in|through|a park; in|through|the tall grass; on|over|green hills; in|across|a green "
        "meadow; "
        "in|across|a flowery meadow; in|through|a field of flowers; in|around|the garden; in|through|the countryside;"
        " on|across|a grassy hill; "
        "on|over|green grass; on|across|the prairie"
    ),
    "forest": _places(
        "in|through|a forest; in|through|the woods; among|between|the trees; in|through|a woodland; in|through|a pine"
        " forest; "
        "in|through|a grove; in|through|the jungle; under|under|tall trees; in|along|a forest clearing; on|along|a "
        "forest path; "
        "in|through|a deep forest; among|among|pine trees; in|through|a green wood"
    ),
    "desert": _places(
        "in|across|a desert; on|over|the dunes; on|over|sand dunes; in|across|the Sahara; in|across|a sandy desert; "
        "among|past|the cacti; "
        "in|across|a dry wilderness; in|through|a cactus desert; on|across|an arid plain; in|across|a hot desert; "
        "beside|past|a cactus; "
        "in|across|a wasteland; on|across|desert sand"
    ),
    "beach": _places(
        "on|along|a beach; on|along|the shore; at|along|the seaside; on|along|the coast; by|along|the sea; "
        "by|along|the ocean; "
        "at|along|a sandy beach; near|along|the water; on|along|a seashore; by|along|the water's edge; on|along|the "
        "waterfront; "
        "beside|along|the waves; on|along|a tropical beach"
    ),
    "snowfield": _places(
        "in|across|a snowfield; in|through|the snow; on|over|the ice; in|across|a snowy field; in|across|a snowy "
        "landscape; "
        "in|across|the arctic; in|through|a winter landscape; in|across|the tundra; in|through|a winter wonderland; "
        "on|across|a frozen plain; in|through|deep snow; on|across|a snow-covered plain; on|over|the snow; "
        "on|over|snowy ground; in|across|a field of snow"
    ),
    "town": _places(
        "in|through|a town; in|through|a village; on|along|a street; on|down|a road; "
        "among|past|houses; "
        "in|through|a neighbourhood; in|through|the suburbs; in|around|a town square; "
        "in|through|the streets; "
        "between|between|the houses; on|down|the main street; in|through|a small town"
    ),
    "moon": _places(
        "on|across|the moon; on|across|the lunar surface; in|through|outer space; on|across|another planet; "
        "on|across|mars; "
        "in|through|space; on|across|an alien planet; on|over|lunar craters; in|across|a lunar landscape; "
        "on|across|the surface of the moon; "
        "on|over|moon dust; on|across|a distant planet"
    ),
    "room": _places(
        "in|across|a room; in|across|the living room; in|around|a bedroom; in|through|the kitchen; in|around|a "
        "playroom; inside|through|a house; "
        "indoors|indoors|; in|around|a nursery; on|across|the carpet; on|across|the living room floor; "
        "inside|inside|; at|around|home; "
        "in|around|a cosy room; on|across|a wooden floor; in|around|a child's bedroom; on|over|a rug"
    ),
    "underwater": _places(
        "underwater|underwater|; under the sea|under the sea|; on|over|the seabed; on|along|the sea floor; at the "
        "bottom of the sea|along the bottom of the sea|; beneath the waves|beneath the waves|; among|past|corals; "
        "on|over|the ocean floor; in|past|a coral reef; under water|under water|; deep under the sea|deep under the "
        "sea|; under the ocean|under the ocean|; among|past|seaweed; in the depths of the sea|through the depths of "
        "the sea|; below the surface of the sea|below the surface of the sea|; in|through|an underwater world"
    ),
    "city": _places(
        "in|through|the city; in|through|a city; downtown|downtown|; among|past|skyscrapers; between|between|tall "
        "buildings; in|through|a big city; in|through|the city centre; in|through|city streets;"
        " under|past|skyscrapers; "
        "in|through|a modern city; on|along|a city street; in|through|a metropolis; in|around|the downtown area; "
        "between|between|skyscrapers; below|past|high-rise buildings; in|through|a busy city"
    ),
}  # fmt: skip
WATER_PLACES = _places(
    "in|through|the sea; in|through|the water; in|across|the ocean; on|over|the waves; in|across|a bay; off|off|the "
    "beach; "
    "near|near|the beach; off|off|the coast; in|across|a lagoon; by|along|the shore; at|near|the seaside; "
    "on|across|the sea"
)

TIME_CLAUSES: dict[str, tuple[str, ...]] = {
    "dawn": _phrases(
        "at dawn, at sunrise, at daybreak, in the early morning, as the sun rises, while the sun comes up, at first "
        "light, in the morning, "
        "as the sun is rising, in the dawn light, early in the morning, at the break of day, in the soft morning light"
    ),
    "noon": _phrases(
        "at noon, at midday, in the daytime, during the day, in broad daylight, in bright sunshine, under the midday "
        "sun, on a sunny day, "
        "on a bright day, in the sunshine, in the middle of the day, in the afternoon, by day, in bright daylight, "
        "with the sun high in the sky"
    ),
    "sunset": _phrases(
        "at sunset, at dusk, in the evening, during golden hour, as the sun sets, while the sun goes down, at "
        "twilight, at sundown, "
        "in the evening light, as the sun is setting, at golden hour, in the glow of sunset, in the late evening sun,"
        " as evening falls"
    ),
    "night": _phrases(
        "at night, at midnight, after dark, in the moonlight, under the stars, beneath a starry sky, in the dark, "
        "late at night, by moonlight, "
        "during the night, in the dead of night, under the night sky, in the middle of the night, in the darkness, "
        "under a full moon"
    ),
    "overcast": _phrases(
        "on an overcast day, under a cloudy sky, under grey clouds, on a grey day, on a cloudy day, in dull light, "
        "beneath heavy clouds, "
        "under an overcast sky, under grey skies, on a gloomy day, in flat grey light, beneath a grey sky"
    ),
}  # fmt: skip
# Nouns for "a rainy night", "it is evening".
TIME_NOUNS: dict[str, tuple[str, ...]] = {
    "dawn": _phrases("morning, dawn, sunrise, daybreak, early morning"),
    "noon": _phrases("noon, midday, daytime, afternoon, sunny day, bright day"),
    "sunset": _phrases("evening, sunset, dusk, twilight, golden hour"),
    "night": _phrases("night, midnight, night-time, dark night"),
    "overcast": _phrases("overcast day, cloudy day, grey day"),
}

WEATHER_CLAUSES: dict[str, tuple[str, ...]] = {
    "clear": _phrases(
        "under clear skies, in clear weather, under a cloudless sky, without a cloud in the sky, in fine weather, "
        "with a clear sky, in dry weather"
    ),
    "rain": _phrases(
        "in the rain, while it rains, as rain falls, in a downpour, in a drizzle, during a rain shower, with rain "
        "pouring down, in the pouring rain, "
        "in a rainstorm, in rainy weather, as raindrops fall, while it is raining, in heavy rain, in wet weather"
    ),
    "snow": _phrases(
        "in falling snow, while it snows, as snow falls, during a snowfall, in a snowstorm, as snowflakes drift down,"
        " with snow falling, in a blizzard, "
        "while it is snowing, in snowy weather, as it snows, with snowflakes in the air"
    ),
    "fog": _phrases(
        "in the fog, in thick fog, in the mist, as fog drifts by, in a haze, surrounded by mist, with fog all around,"
        " in foggy weather, shrouded in mist, "
        "in dense fog, in a foggy haze, in misty air"
    ),
    "fireflies": _phrases(
        "with fireflies glowing, among fireflies, surrounded by fireflies, as fireflies drift around, while glowing "
        "insects float by, "
        "with lightning bugs in the air, with fireflies all around, while fireflies twinkle, with glowing fireflies, "
        "amid a swarm of fireflies"
    ),
    "storm": _phrases(
        "in a storm, in a thunderstorm, during a thunderstorm, as lightning flashes, with thunder and lightning, "
        "while a storm rages, in stormy weather, as thunder rolls, under a stormy sky, during a storm, in a raging "
        "storm, as lightning strikes, in a violent thunderstorm, as a thunderstorm passes, with lightning in the sky"
    ),
}  # fmt: skip
WEATHER_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "clear": _phrases("clear, cloudless, fine"),
    "rain": _phrases("rainy, drizzly, wet"),
    "snow": _phrases("snowy"),
    "fog": _phrases("foggy, misty, hazy"),
    "fireflies": _phrases("firefly-lit"),
    "storm": _phrases("stormy, thundery"),
}
WEATHER_NOUNS: dict[str, tuple[str, ...]] = {
    "clear": _phrases("clear weather, clear sky, no clouds"),
    "rain": _phrases("rain, rainy weather, drizzle, heavy rain, rainfall"),
    "snow": _phrases("snowfall, falling snow, snowflakes, snowstorm"),
    "fog": _phrases("fog, mist, foggy weather, haze"),
    "fireflies": _phrases("fireflies, glowing fireflies, lightning bugs, glowing insects"),
    "storm": _phrases("thunderstorm, stormy weather, thunder and lightning, raging storm, lightning"),
}

CAMERA_CLAUSES: dict[str, tuple[str, ...]] = {
    "static": _phrases(
        "the camera stays still, the camera does not move, the camera is fixed, the camera holds steady, the camera "
        "remains static, the camera is locked off"
    ),
    "pan left": _phrases(
        "the camera pans left, the camera is panning left, the camera pans to the left, the camera sweeps left, the "
        "view slides to the left, the camera turns left"
    ),
    "pan right": _phrases(
        "the camera pans right, the camera is panning right, the camera pans to the right, the camera sweeps right, "
        "the view slides to the right, the camera turns right"
    ),
    "dolly in": _phrases(
        "the camera pushes in, the camera moves closer, the camera dollies in, the camera zooms in, the camera slowly"
        " pushes in, the camera creeps closer, the camera moves in"
    ),
    "dolly out": _phrases(
        "the camera pulls back, the camera moves away, the camera dollies out, the camera zooms out, the camera pulls"
        " out, the camera slowly pulls back, the camera backs away"
    ),
    "orbit": _phrases(
        "the camera orbits around, the camera circles, the camera circles around, the camera orbits, the camera "
        "revolves around the scene, the camera moves in an arc, the camera swings around"
    ),
    "crane up": _phrases(
        "the camera cranes up, the camera rises, the camera lifts up, the camera rises into the air, the camera moves"
        " upward, the camera goes up, the camera climbs"
    ),
    "follow": _phrases(
        "the camera follows, the camera follows along, the camera tracks along, the camera keeps up, the camera moves"
        " along, the camera travels alongside, the camera tracks the action"
    ),
    "handheld": _phrases(
        "the camera shakes, the camera wobbles, the camera is handheld, the camera shakes a little, the camera is "
        "shaky, the camera jiggles, the camera is held by hand"
    ),
    "tilt up": _phrases(
        "the camera tilts up, the camera tilts upward, the camera looks up, the camera is tilting up, the camera "
        "slowly tilts up, the view tilts up"
    ),
}  # fmt: skip
CAMERA_TAGS: dict[str, tuple[str, ...]] = {
    "static": _phrases(
        "static camera, fixed camera, locked-off shot, static shot, still camera, tripod shot, fixed shot"
    ),
    "pan left": _phrases("pan left, camera panning left, slow pan to the left, panning left, leftward pan, left pan"),
    "pan right": _phrases(
        "pan right, camera panning right, slow pan to the right, panning right, rightward pan, right pan"
    ),
    "dolly in": _phrases(
        "dolly in, push in, slow push in, zoom in, slow zoom in, camera moving closer, push-in shot, dolly-in shot"
    ),
    "dolly out": _phrases(
        "dolly out, pull back, slow pull back, zoom out, slow zoom out, camera pulling back, pull-out shot, dolly-out"
        " shot"
    ),
    "orbit": _phrases(
        "orbit shot, orbiting camera, circling camera, arc shot, camera orbiting around, orbiting shot, 360 shot"
    ),
    "crane up": _phrases("crane up, crane shot, rising camera, camera rising, jib up, crane shot rising, rising shot"),
    "follow": _phrases("tracking shot, follow shot, camera following, follow cam, tracking camera, following shot"),
    "handheld": _phrases(
        "handheld camera, shaky camera, handheld shot, shaky cam, handheld, handheld footage, wobbly camera, camera "
        "shake"
    ),
    "tilt up": _phrases("tilt up, tilt-up shot, camera tilting up, upward tilt, slow tilt up, tilting up"),
}  # fmt: skip
CAMERA_PREFIXES: dict[str, tuple[str, ...]] = {
    "static": _phrases("static shot of, locked-off shot of, fixed shot of, still shot of"),
    "pan left": _phrases("left pan across, panning left over, pan left across"),
    "pan right": _phrases("right pan across, panning right over, pan right across"),
    "dolly in": _phrases("push in on, slow push in on, zoom in on, slow zoom in on, dolly in on"),
    "dolly out": _phrases("pull back from, slow pull back from, zoom out from, dolly out from"),
    "orbit": _phrases("orbiting shot of, orbit around, circling shot of, arc shot around, orbit shot of"),
    "crane up": _phrases("crane shot of, rising crane shot of, crane up over, rising shot of"),
    "follow": _phrases("tracking shot of, follow shot of, following shot of, tracking shot following"),
    "handheld": _phrases("handheld shot of, shaky footage of, handheld footage of, handheld video of, shaky shot of"),
    "tilt up": _phrases("tilt up over, slow tilt up over, tilt-up shot of, tilting shot of"),
}

STYLE_CLAUSES: dict[str, tuple[str, ...]] = {
    "toy": _phrases(
        "in 3D toy style, like a toy set, in a toy-like style, in claymation style, as a 3D animation, in a "
        "plasticine style"
    ),
    "noir": _phrases(
        "in black and white, in film noir style, in monochrome, as a black-and-white film, in noir style, in greyscale"
    ),
    "sepia": _phrases(
        "in sepia, in sepia tones, like an old film, in vintage film style, like an old photograph, like an antique "
        "movie"
    ),
    "pixel": _phrases(
        "in pixel art style, in 8-bit style, like a retro video game, in pixel art, like a 16-bit game, in pixelated "
        "style"
    ),
    "cel": _phrases(
        "in cartoon style, like a cartoon, as a cartoon, in cel-shaded style, like a comic book, in comic style, with "
        "bold cartoon outlines"
    ),
    "sketch": _phrases(
        "as a pencil sketch, like a pencil drawing, drawn in pencil, in sketch style, as a pencil drawing, like a "
        "sketch on paper, in pencil"
    ),
}
STYLE_TAGS: dict[str, tuple[str, ...]] = {
    "toy": _phrases("3D toy, toy style, 3D animation, claymation, 3D toy style, plasticine look"),
    "noir": _phrases("film noir, noir, black and white film, monochrome, greyscale, noir style"),
    "sepia": _phrases("sepia, sepia tone, old film, vintage film, sepia film, old-timey footage"),
    "pixel": _phrases("pixel art, 8-bit, retro video game, pixelated, 16-bit, pixel style"),
    "cel": _phrases("cartoon, cel-shaded, cartoon style, comic style, cel shading, comic book style"),
    "sketch": _phrases("pencil sketch, pencil drawing, sketch, sketch style, hand-drawn sketch, graphite drawing"),
}
STYLE_PREFIXES: dict[str, tuple[str, ...]] = {
    "toy": _phrases("3D animation of, claymation of, toy-style video of, 3D toy scene of"),
    "noir": _phrases(
        "black-and-white film of, noir film of, film noir shot of, monochrome video of, black and white video of"
    ),
    "sepia": _phrases("sepia film of, vintage film of, old sepia clip of, old film of, sepia-toned video of"),
    "pixel": _phrases(
        "pixel art of, 8-bit animation of, pixel-art video of, retro video game scene of, pixelated clip of"
    ),
    "cel": _phrases("cartoon of, cel-shaded animation of, comic-style video of, cartoon video of, cartoon clip of"),
    "sketch": _phrases("pencil drawing of, pencil sketch of, sketch of, hand-drawn sketch of, sketched video of"),
}

# Where the first subject is relative to the second: written between the two.
RELATION_CLAUSES: dict[str, tuple[str, ...]] = {
    "left of": _phrases("to the left of, left of, on the left of, on the left side of, to the left side of"),
    "right of": _phrases("to the right of, right of, on the right of, on the right side of, to the right side of"),
    "in front of": _phrases("in front of, ahead of, in the foreground of, just in front of"),
    "behind": _phrases("behind, at the back of, in back of, right behind, just behind"),
    "above": _phrases("above, over, high above, up above, on top of"),
    "following": _phrases("following, chasing, following behind, close on the heels of, trailing, in pursuit of"),
}
RELATION_VERBS = (
    "follow",
    "chase",
    "run after",
    "trail",
    "pursue",
    "chase after",
    "tag along behind",
)  # for "following"
# Written after the second subject, keyed by where that puts the first: "with a blue cat to its right".
INVERSE_CLAUSES: dict[str, tuple[str, ...]] = {
    "left of": _phrases("to its right, on its right, on the right, to the right"),
    "right of": _phrases("to its left, on its left, on the left, to the left"),
    "in front of": _phrases("behind it, in the background, right behind it"),
    "behind": _phrases("in front of it, in the foreground, ahead of it"),
    "above": _phrases("below, below it, underneath, beneath it, down below"),
    "following": _phrases("leading the way, being chased, being followed"),
}
