"""What the parser reads though no caption is written with it: nearest places and motions, idioms, ordinary words."""

from __future__ import annotations

from daybreak.diorama import antic_verbs


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


EXTRA_PLACES: dict[str, tuple[str, ...]] = {
    "meadow": _phrases(
        "backyard, farm, hill, hills, valley, savanna, savannah, garden, yard, flowers, plains, grassy, daisies, "
        "dandelions, wheat, "
        "paddock, barnyard, playground, orchard, countryside, hillside, mountain, mountains, golf course, stadium, "
        "grassland, prairie, tulips, clover"
    ),
    "forest": _phrases(
        "wood, trees, tree, rainforest, bamboo, undergrowth, glade, treetops, pines, oaks, wilderness, "
        "autumn leaves, fallen leaves, falling leaves, "
        "campsite, swamp"
    ),
    "desert": _phrases(
        "dune, cactus, sahara, canyon, oasis, badlands, gobi, egypt, pyramids, outback, arizona, wasteland"
    ),
    "beach": _phrases(
        "sea, ocean, water, lake, pond, river, pool, shoreline, coastline, sand, surf, wave, waves, harbour, harbor, "
        "harbour, pier, island, lagoon, "
        "bay, seashore, seafront, tide, puddle, stream, swimming pool, bathtub, dock, seawater, seas, "
        "cove, marina, sandcastle"
    ),
    "snowfield": _phrases(
        "ice, iceberg, glacier, antarctica, antarctic, north pole, south pole, winter, icy, frozen lake, snowdrift, "
        "snowbank, arctic, tundra, ski slope"
    ),
    "town": _phrases(
        "houses, house, sidewalk, pavement, alley, market, roads, crossroads, streets, lane, parking lot, car park, "
        "suburb, cobbled, square, bridge, corner, cobblestones, garage, shops, shop"
    ),
    "moon": _phrases(
        "crater, craters, planet, galaxy, lunar, asteroid, outer space, milky way, space station, zero "
        "gravity, martian"
    ),
    "room": _phrases(
        "lounge, sofa, couch, bed, table, floor, attic, basement, hallway, office, classroom, fireplace, bathroom, "
        "kitchen floor, parlour, library, tabletop, museum, "
        "carpet, indoor, armchair, shelf, desk, cushion, pillow, apartment, flat, gym, wardrobe, grandma's house, toy"
        " box, stairs"
    ),
    "underwater": _phrases(
        "under the water, at the bottom of the ocean, on the bottom of the sea, on the bottom of the ocean, among "
        "coral, among the corals, coral reefs, undersea, under sea, ocean floor, sea floor, sea bed, ocean bed, bottom"
        " of the ocean, bottom of the sea, beneath the sea, beneath the ocean, below the waves, under the waves, "
        "beneath the water, below the water, below the surface, beneath the surface, reef, kelp, kelp forest, "
        "seaweeds, atlantis, aquarium, fish tank, deep sea, deep ocean, depths of the ocean, depths of the sea, scuba "
        "diving, subaquatic, lake bed"
    ),
    "city": _phrases(
        "cities, skyscraper, buildings, tall building, high rises, office blocks, office towers, tower blocks, "
        "skyline, "
        "city skyline, urban, metropolitan, highway, motorway, traffic, avenue, boulevard, city street, city centre, "
        "paris, london, new york, tokyo, manhattan, times square, chicago, shanghai, hong kong, big city, inner city, "
        "traffic light, traffic lights, city lights, cityscape, apartment blocks"
    ),
}  # fmt: skip

EXTRA_TIMES: dict[str, tuple[str, ...]] = {
    "dawn": _phrases(
        "first rays, rising sun, sun rising, sun comes up, sun rises, sun is rising, sunup, cockcrow, mornings, "
        "breakfast time"
    ),
    "noon": _phrases(
        "sunny, sunlight, sunlit, sunshine, bright, daylight, bright day, lunchtime, sun, blazing sun, blue sky"
    ),
    "sunset": _phrases(
        "setting sun, sun setting, sun sets, sun is setting, sun goes down, sun sinks, sundown, nightfall, golden "
        "light, evenings, tonight at sunset, low sun, dusky, afterglow, evening falls, "
        "dusk falls"
    ),
    "night": _phrases(
        "moonlight, moonlit, light of the moon, moon is shining, under the moon, by the moon, starlight, starry, "
        "tonight, stars, darkness, nighttime, nocturnal, dark, bedtime, full moon, starlit, the moon shines, nights, "
        "night falls, night is falling, darkness falls"
    ),
    "overcast": _phrases(
        "overcast, cloudy, gloomy, clouds, cloud cover, dull, overcast sky, grey sky, grey skies, dreary, cloud"
    ),
}  # fmt: skip

EXTRA_WEATHER: dict[str, tuple[str, ...]] = {
    "clear": _phrases(
        "clear skies, not a cloud in the sky, not a cloud, cloud in the sky, no rain, no fog, no snow falling, "
        "cloudless"
    ),
    "rain": _phrases(
        "raining, rains, rained, raindrops, downpour, shower, showers, pouring, monsoon, raindrops keep falling, "
        "rain keeps falling, drizzling"
    ),
    "snow": _phrases(
        "snowing, snows, snowed, blizzard, snow falling, snow falls, snow is falling, flurries, flakes, hail"
    ),
    "fog": _phrases("foggy, misty, fogs, smog, smoky, smoke, mists, hazy"),
    "fireflies": _phrases(
        "firefly, glow worms, glowworms, lightning bug, glowing bugs, fireflies glow, sparkles, bugs"
    ),
    "storm": _phrases(
        "storm, thunder, thunderstorms, lightning strike, lightning strikes, lightning bolt, lightning bolts, bolts of "
        "lightning, lightning flash, flashes of lightning, lightning flashes, thunderclouds, tempest, hurricane, "
        "typhoon, gale, thunder rolls, thunder rumbles, storm clouds, storm rages, thunderous, cyclone, squall"
    ),
}  # fmt: skip

EXTRA_CAMERAS: dict[str, tuple[str, ...]] = {
    "static": _phrases(
        "tripod, motionless camera, no camera movement, steady camera, stationary camera, camera is still, camera "
        "stays put, camera stands still, camera is static"
    ),
    "pan left": _phrases(
        "pans left, pan to the left, pans to the left, panning to the left, camera left, camera moves left, camera "
        "slides left, camera moves to the left, pans slowly left, pans slowly to the left"
    ),
    "pan right": _phrases(
        "pans right, pan to the right, pans to the right, panning to the right, camera right, camera moves right, "
        "camera slides right, camera moves to the right, pans slowly right, pans slowly to the right"
    ),
    "dolly in": _phrases(
        "pushes in, zooms in, zooming in, dollies in, push closer, camera gets closer, moving closer, dollying in, "
        "pushing in, camera approaches, camera comes closer, camera slowly zooms in, camera slowly moves closer"
    ),
    "dolly out": _phrases(
        "zooms out, zooming out, pulls back, pulls away, pulling back, dollies out, pulling away, dollying out, "
        "camera drifts away, camera slowly zooms out, camera retreats"
    ),
    "orbit": _phrases(
        "orbiting, orbits, orbit, camera circles around, camera circling around, camera goes around, camera to go "
        "around, camera going around, camera spins around, camera moves around, camera flies around, camera rotates "
        "around, camera turns around"
    ),
    "crane up": _phrases(
        "cranes up, crane, craning up, camera lifts, rising up, camera ascends, camera floats up, camera flies up, "
        "camera moves up, camera soars up, camera lifts off, drone shot rising"
    ),
    "follow": _phrases(
        "camera follows, camera tracks, camera chases, camera trails, follow the action, camera runs alongside, "
        "camera stays with, camera keeps pace, camera follows behind, camera follows closely"
    ),
    "handheld": _phrases(
        "hand held, hand held camera, hand held shot, hand held footage, shaky, shaking camera, camera is shaking, "
        "camera shakes, camera trembles, trembling camera, wobbling camera, camera jitters, jittery camera, shaky "
        "video, home video, amateur video, found footage, filmed by hand, shaky handheld camera, shaky hands, unsteady"
        " camera"
    ),
    "tilt up": _phrases(
        "tilts up, tilts upward, tilting upward, tilt upward, camera tilts, camera looks upward, camera angles up, "
        "camera pans up, pan up, panning up, pans up, camera turns up, camera looking up, tilt shot, camera tilts "
        "slowly up"
    ),
}  # fmt: skip

EXTRA_STYLES: dict[str, tuple[str, ...]] = {
    "toy": _phrases(
        "claymation, toy like, clay animation, plasticine, stop motion, stop-motion, 3D render, pixar style, lego, "
        "toy world, figurine, 3D"
    ),
    "noir": _phrases(
        "black-and-white, black and white movie, black and white footage, black and white photo, monochromatic, black"
        " and white silent film, grayscale, black and white picture"
    ),
    "sepia": _phrases(
        "sepia-toned, vintage, old movie, old photograph, antique, old-fashioned film, old home movie, silent movie, "
        "silent film, 1920s, daguerreotype, super 8, old postcard"
    ),
    "pixel": _phrases(
        "pixel-art, pixels, pixel, retro game, video game, minecraft, 8bit, 16bit, arcade game, nintendo, game boy, "
        "pixelart, arcade, old computer game"
    ),
    "cel": _phrases(
        "cartoonish, cartoony, cartoons, comic, comics, comic strip, anime, anime style, manga, toon, disney, cel "
        "animation, cel shaded, animated cartoon, saturday morning cartoon, bold outlines, flat colours, 2D animation,"
        " 2D"
    ),
    "sketch": _phrases(
        "sketched, sketches, hand drawn, drawing, drawing of, drawn by hand, drawn on paper, line drawing, line art, "
        "ink drawing, charcoal drawing, charcoal sketch, graphite, doodle, pencil, pencils, black and white drawing, "
        "crosshatched, pencil on paper"
    ),
}  # fmt: skip

# Verbs of other motions, and the nearest action.
NEAREST_VERBS = {
    "walk": (
        "crawl, creep, sneak, tiptoe, climb, travel, explore, prowl, limp, patrol, step, stumble, parade, "
        "tour, cross, shuffle, lumber, head, heads"
    ),
    "run": (
        "ski, play, storm, sprint off, career, zigzag, scoot, dart, whizz, gambol, romp, frolic, barrel"
    ),
    "jump": "dive, pounce, vault, trampoline, hurdle, frisk, prance, cavort",
    "stand": (
        "look, watch, stare, gaze, sing, talk, read, think, perch, lean, hide, balance, loiter, hang out,"
        " guard, kneel, squat, relax in the sun"
    ),
    "spin": "twist, swirl, turn, gyrate, cartwheel, loop, turn round, spiral",
    "fly": (
        "flap, sail through the air, swoop, zoom through the air, parachute, rise into the air, drift "
        "through the air, float up, float in space, lift off, take off, launch, ascend, float away, drift away, "
        "fly off, fly away, rise up, rise into the sky"
    ),
    "swim": (
        "surf, splash, wade, bathe, row, drift, sail, dog paddle, splash about, bob, float on water, float around in "
        "the water, bob up and down"
    ),
    "sleep": (
        "dream, relax, curl up, hibernate, lounge, catnap, have a snooze, nod off, fall asleep, lie curled up, drowse"
    ),
    "dance": (
        "waltz, tango, breakdance, tap dance, moonwalk, salsa, jig, disco, swing, party, shake its hips"
    ),
    "drive": "ride, commute, honk, chug, rumble, rumble along, zoom, accelerate, motor, vroom, drift around the corner",
    "roll": "trundle, roll downhill",
    **antic_verbs.NEAREST,
}  # fmt: skip

EXTRA_FORMS = {
    "stand": (
        "parked, is parked, anchored, at anchor, moored, seated, motionless, standing still, at rest, still standing,"
        " parks"
    ),
    "sleep": "asleep, fast asleep, sound asleep, sleepy, snoozing, taking a nap, napping",
    "fly": (
        "airborne, in flight, in mid-air, mid air, up in the air, in the sky, through the sky, across the sky, in the"
        " air"
    ),
    "swim": "afloat, having a swim, goes for a swim, going for a swim",
    "run": "at full speed, full speed, going for a run, goes for a run, on the run",
    "walk": (
        "on a walk, going for a walk, goes for a walk, taking a walk, takes a walk, out for a walk, out for a stroll,"
        " taking a stroll"
    ),
    "drive": "driven, going for a drive, goes for a drive",
    "jump": "on a trampoline, somersaults in the air",
    **antic_verbs.FORMS,
}  # fmt: skip

RELATION_WORDS = {
    "left of": "left from, leftwards of, at the left of",
    "right of": "rightwards of, at the right of",
    "in front of": "before, up ahead of, facing",
    "behind": "back of, hidden behind",
    "above": (
        "over, on top of, upon, atop, higher than, riding, rides, riding on, on the back of, perched on, on the roof of"
    ),
    "following": (
        "after, close behind, trailing behind, tailing, on the tail of, in hot pursuit of, hot on the heels of"
    ),
}

POSITIONS = {  # where the subject just named is, relative to the other one
    "right": "on the right hand side, on the right side, at the right, at right, on right",
    "left": "on the left hand side, on the left side, at the left, at left, on left",
    "behind": (
        "at the back, in back, behind them, further back, following it, chasing it, right after it, following along"
    ),
    "front": "in front, at the front, up front, nearest the camera",
    "below": "under it, beneath, underneath it, at the bottom",
    "above": "overhead, above it, up above, at the top, over it, on top",
}

NOTHING = (
    "in front of the camera, at the camera, into the camera, one day, all day, every day, some day, rest of, of "
    "course, a bit, a lot, kind of, "
    "at rest, sort of, make sure, all over, over there, over again, once upon a time, over and over, home made, stop "
    "motion of, shot of, look like, looks like, "
    "looking like, front view, side view, close up, would like to see, want to see, like to see, to see, no cuts, "
    "picture of, turned out, "
    "as well as, scene plays, scene is set, the look is, let us watch, lets watch, let me watch, i watch, we watch, "
    "look at, looks at, the look, "
    "drone shot, drone footage, drone view, aerial shot, aerial view, bird's eye view, at once, all around, all "
    "around it, at full, the left, the right, right now, right there, right before, day "
    "after day, day out, wide shot, a bow, bow tie, red bow, bow and arrow, "
    "long shot, left hand, right hand, looking for, in order to, used to, going to, about to, make a video, make a "
    "clip, watch out, play of, set in, takes place"
)

# Ordinary words (their plurals and tenses too) that are one letter away from a word of the world.
NO_TYPO = _set(
    """
    alive alter automation beam bear beard bell belt bench bitten blank blend blind bloat block board boast born
    brace brain bruise brush bump bunch call care case chair change charge chop chose class clean clear coast
    collide corn cost cover crate cream crop crown cruise crush crust curry derive dozen driver drop drown dump
    eight evolve face fail fair felt field file finger fit float found frown give grant grave greek greet groovy
    grow grown guide hair hand hash heap here hill hit hollow hop horn hose hurry inch kitchen land lead leak learn
    least leave lint live log long lose lost lower mail map match might mitten more most must nest nose patch phase
    pin plot pole poll pop pose post pound print prove purse push range rate reach rest retrieve ride ringer roast
    role root rose round rust salt say scare score scroll see seed shallow share shine ship shop shore short sight
    silt singer sixth slack slot small smell snore soak sorry sound span spare spend spine sport stall still store
    story stride strike string strip stroke subset swap tail teach test tight tilt toast top torn trace train trait
    trial trout waiter walker want while white wonder word worn write year yield juggle
    hoarse worse sheet steep sheer steel track trick trunk pocket racket socket clock flock couch poach drain grain
    dock deck tube dish wish loose sharp spark snow bloom cheap
    feel snake shade shame stake shape lunch bunch punch switch slice glaze grate craze blow bowl box mow tow row sow
    pack pick peek deck sliver river fleet weed reed deed treat tackle trickle rumble fumble bubble cobble stable
    """
)

# Articles and their kin: a noun phrase begins.
DETERMINERS = _set(
    """
    a an the one my your his her our their this that these those another some single two each its every any second
    other both
    """
)

# Little words after which a new phrase begins.
PREPOSITIONS = _set(
    """
    in on at across through over under with by near from to along down past between beside around into onto inside
    during while as among beneath for of towards toward against without amid surrounded
    """
)

CLAUSE_STARTS = _set(
    """
    that is are was were which who while as and but then when where ; . ! ?
    """
)

# Modify a colour, say nothing themselves.
SHADES = _set(
    """
    bright dark light deep pale very so really super quite extremely rather pretty warm soft vivid neon
    """
)

# Words that promise nothing, so that ignoring them needs no report.
FILLER = _set(
    """
    it its he she they them him there here we you i me us let lets please show see watch look make create generate
    give want would like could can cant will video clip footage film movie scene shot animation picture image camera
    view short just only also too again away back out up off down not no do does dont did be been being has have had
    gets get got goes go going come comes coming try tries trying start starts keep keeps cute happy lovely
    beautiful funny friendly adorable sad proud lonely clever brave shiny fluffy soft young old magical charming
    sleek curious sweet silly playful graceful fancy noble nice good great wonderful amazing pretty cool gentle calm
    quiet fast slow slowly quickly happily gently calmly quietly merrily steadily playfully all so very more most
    much many if or than then now today always never still until because how what why about cinematic detailed high
    highly quality 4k 8k hd masterpiece beautifully professional sharp focus realistic ultra light air ground sky
    floor body way time moment day mood feels everything motion smooth detail rich lasts seconds sound ambient heard
    style weather together well around made colour coloured colours really himself herself itself whole entire
    little bit left right side front top bottom middle center centre edge wide open place surface lit toy full fall
    falls falling glow glows glowing rising happens nothing else set takes filmed plays story imagine prompt idea
    generated wearing covered painted wears own while at once who s t re ll ve m d lot of thing things owner move
    moves moving moved theres thats heres whats wheres id ive im youre youd wont isnt arent doesnt didnt hasnt shes
    hes theyre weve should must may might shall outside outdoors ever even yet okay ok hey hi hello love loves loved
    likes liked need needs shows say says someone somebody nobody everybody everyone something thank thanks another
    such same other first last next new
    """
)

FLUSHING = DETERMINERS | PREPOSITIONS | (CLAUSE_STARTS - {"and", "but"})  # adjectives before these look back
