"""The words people use for what the world can show: nouns, adjectives and verbs, and their inflections.

The caption grammar draws from these tables and the parser reads them backwards, so a word added here is
both said and understood. Clauses (places, times, weather, cameras, styles) are in `phrases.py`.
"""

from __future__ import annotations

from typing import Literal

from daybreak.diorama import antic_verbs

Form = Literal["base", "third", "ing", "past"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


# The first word of each row is the plain one, said most often.
SUBJECT_NOUNS: dict[str, tuple[str, ...]] = {
    "dog": _words(
        "dog, puppy, pup, hound, doggy, doggie, pooch, labrador, terrier, beagle, canine, poodle, spaniel, corgi, "
        "dachshund, "
        "retriever, sheepdog, husky, collie, bulldog, mutt"
    ),
    "cat": _words("cat, kitten, kitty, tabby, tabby cat, feline, tomcat, house cat, pussycat, moggy, kitty cat"),
    "rabbit": _words("rabbit, bunny, hare, bunny rabbit, jackrabbit, cottontail"),
    "bear": _words("bear, cub, grizzly, teddy, teddy bear, bear cub, grizzly bear, honey bear, bruin"),
    "elephant": _words("elephant, baby elephant, elephant calf, jumbo, african elephant, tusker"),
    "pig": _words("pig, piglet, hog, swine, piggy, boar, sow"),
    "bird": _words(
        "bird, sparrow, robin, parrot, crow, songbird, finch, birdie, pigeon, canary, gull, seagull, "
        "hummingbird, parakeet, swallow"
    ),
    "penguin": _words("penguin, emperor penguin, penguin chick, king penguin"),
    "car": _words(
        "car, sedan, automobile, taxi, jeep, vehicle, sports car, toy car, cab, motorcar, hatchback, race car, coupe"
    ),
    "boat": _words("boat, sailboat, ship, yacht, dinghy, toy boat, rowboat, fishing boat, vessel"),
    "ball": _words("ball, beach ball, sphere, orb, rubber ball, football, soccer ball, toy ball, globe"),
    "robot": _words("robot, android, droid, automaton, machine, toy robot, bot, cyborg, mechanical man"),
    "fox": _words("fox, vixen, fox cub, toy fox"),
    "sheep": _words("sheep, lamb, ewe, ram, woolly sheep, woolly lamb"),
    "horse": _words("horse, pony, stallion, mare, foal, colt, steed, racehorse, toy horse"),
    "duck": _words("duck, duckling, mallard, drake, toy duck, rubber duck"),
    "fish": _words("fish, goldfish, koi, minnow, toy fish"),
    "truck": _words("truck, lorry, toy truck, delivery truck, cargo truck, delivery van, box truck"),
    "bus": _words("bus, coach, school bus, toy bus, city bus, minibus"),
    "train": _words("train, locomotive, steam train, steam engine, steam locomotive, toy train, railway engine"),
    "rocket": _words("rocket, spaceship, spacecraft, rocket ship, space rocket, toy rocket, starship"),
    "balloon": _words("balloon, party balloon, toy balloon, helium balloon"),
    "hot-air balloon": _words("hot-air balloon, air balloon, passenger balloon"),
    "cube": _words("cube, box, block, toy block, building block, toy cube"),
    "snowman": _words("snowman, snow man, toy snowman"),
}

# Things the world has no model of, and the subject that comes nearest.
NEAREST_SUBJECTS: dict[str, tuple[str, ...]] = {
    "dog": _words(
        "hyena, animal, creature, pet, beast, dragon, dinosaur, t-rex"
    ),
    "cat": _words("tiger, lion, leopard, panther, cheetah, lynx, cougar, puma, jaguar, raccoon, ferret, lioness"),
    "rabbit": _words(
        "mouse, rat, hamster, squirrel, chipmunk, kangaroo, hedgehog, guinea pig, frog, toad, mole, gerbil, wallaby"
    ),
    "bear": _words("panda, koala, gorilla, monkey, ape, chimpanzee, sloth, badger, beaver, otter, bigfoot, yeti"),
    "elephant": _words(
        "hippo, hippopotamus, rhino, rhinoceros, mammoth, buffalo, bison, tortoise, turtle, walrus"
    ),
    "pig": _words("warthog, tapir, armadillo"),
    "bird": _words(
        "plane, airplane, aeroplane, jet, helicopter, drone, kite, butterfly, bee, insect, dragonfly, eagle, hawk, "
        "owl, chicken, "
        "hen, rooster, chick, peacock, flamingo, bat, falcon, dove, raven, toucan, ostrich, stork, "
        "pelican, turkey"
    ),
    "penguin": _words("puffin, seal, sea lion"),
    "car": _words(
        "motorcycle, motorbike, bike, bicycle, scooter, limousine, suv, "
        "minivan, convertible, cart, carriage, racecar, racer"
    ),
    "boat": _words(
        "canoe, kayak, submarine, ferry, raft, surfboard, cruise ship, gondola, tanker, trawler, barge, catamaran, "
        "warship, tugboat"
    ),
    "ball": _words(
        "apple, wheel, planet, pumpkin, melon, marble, egg, basketball, coin, tyre, tire,"
        " boulder"
    ),
    "robot": _words(
        "person, man, woman, boy, girl, child, kid, astronaut, people, human, dancer, ballerina, knight, soldier, "
        "ninja, "
        "wizard, witch, princess, king, queen, superhero, doll, alien, zombie, skeleton, chef, farmer, "
        "runner, baby, "
        "toddler, lady, guy, spaceman, teenager, couple, puppet, mannequin, cyclist, skater, pirate, cowboy, monster,"
        " ghost"
    ),
    "fox": _words("wolf, coyote, jackal, dingo, wolf cub"),
    "sheep": _words("goat, llama, alpaca, billy goat"),
    "horse": _words(
        "deer, fawn, cow, bull, calf, ox, donkey, mule, zebra, giraffe, camel, unicorn, antelope, reindeer, moose, "
        "gazelle, stag, pegasus"
    ),
    "duck": _words("goose, swan, gosling, cygnet"),
    "fish": _words(
        "shark, dolphin, whale, clownfish, octopus, jellyfish, seahorse, guppy, angelfish, mermaid, squid, carp, tuna"
    ),
    "truck": _words("van, tractor, ambulance, fire engine, fire truck, tank, wagon, pickup, pickup truck, dump truck"),
    "bus": _words("double-decker, caravan, camper van, trolleybus, double-decker bus"),
    "train": _words("tram, streetcar, railcar, subway train, steamroller"),
    "rocket": _words("missile, space shuttle, ufo, flying saucer, satellite, space ship"),
    "balloon": _words("bubble, soap bubble, lollipop"),
    "hot-air balloon": _words("airship, blimp, zeppelin, parachute, dirigible"),
    "cube": _words("dice, brick, crate, parcel, package, gift, gift box, cardboard box, suitcase"),
    "snowman": _words("scarecrow, gingerbread man, ice sculpture, snow sculpture, snow figure"),
}  # fmt: skip

COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": _words("red, crimson, scarlet, ruby, cherry-red, bright red, ruby-red, vermilion, maroon"),
    "orange": _words("orange, tangerine, amber, bright orange, ginger, pumpkin-coloured, apricot"),
    "yellow": _words("yellow, golden, lemon-yellow, canary-yellow, bright yellow, gold, mustard, lemon"),
    "green": _words("green, emerald, lime, lime-green, olive, bright green, mint, jade, leaf-green"),
    "blue": _words("blue, navy, azure, sky-blue, navy-blue, cobalt, sapphire, royal-blue, bright blue"),
    "purple": _words("purple, violet, lavender, lilac, plum, indigo, mauve, plum-coloured"),
    "pink": _words("pink, magenta, rose-pink, hot-pink, bright pink, fuchsia, salmon-pink, rosy, bubblegum-pink"),
    "brown": _words("brown, tan, chocolate, chestnut, chocolate-brown, beige, coffee-coloured, hazel, bronze, caramel"),
    "white": _words(
        "white, snow-white, ivory, pearl-white, cream-coloured, milk-white, off-white, snowy-white, pearly-white"
    ),
    "black": _words("black, jet-black, ebony, coal-black, pitch-black, charcoal, onyx, inky-black"),
    "grey": _words("grey, silver, slate-grey, ash-grey, steel-grey, silver-grey, silvery, stone-grey, mouse-grey"),
    "turquoise": _words("turquoise, teal, cyan, aqua, aquamarine, bright turquoise, blue-green, sea-green"),
}
# Read as the colour but never written: too far from it to be a fair description.
EXTRA_COLOURS: dict[str, tuple[str, ...]] = {
    "white": _words("cream"),
    "black": _words("blackish"),
    "yellow": _words("blond, blonde"),
    "red": _words("reddish, rusty, burgundy"),
    "blue": _words("bluish"),
    "green": _words("greenish"),
    "brown": _words("brownish, copper, sandy-coloured"),
    "pink": _words("pinkish, coral, rose, salmon"),
    "purple": _words("amethyst, purplish"),
    "grey": _words(
        "dark grey, light grey, pale grey, greyish, platinum, charcoal-grey, gunmetal, pewter, ashen, metallic"
    ),
    "turquoise": _words(
        "aqua blue, turquoise blue, teal blue, teal green, dark turquoise, dark teal, greenish blue, bluish green, "
        "green-blue, turquoise-coloured"
    ),
    "orange": _words("peach, orangey"),
}

SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": _words(
        "small, little, tiny, mini, wee, teeny, petite, pint-sized, small-sized, diminutive, itty-bitty, undersized"
    ),
    "medium": _words("medium, medium-sized, average-sized, mid-sized, normal-sized, regular-sized, middle-sized"),
    "large": _words(
        "large, big, huge, giant, enormous, massive, gigantic, oversized, great big, colossal, very large, hulking"
    ),
}
EXTRA_SIZES: dict[str, tuple[str, ...]] = {
    "small": _words("teensy, tinier, smaller, smallest, minuscule, baby, smallish, miniature"),
    "large": _words("bigger, larger, biggest, largest, immense, vast, towering, humongous, monstrous"),
}

# Adjectives stand before the noun, the others after it.
PATTERN_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "plain": _words("plain, solid-coloured, unpatterned, single-coloured, one-coloured"),
    "striped": _words("striped, stripy, banded, stripey, zebra-striped"),
    "spotted": _words("spotted, dotted, spotty, polka-dot, polka-dotted, speckled, dappled"),
    "checked": _words("checked, chequered, checkered, checkerboard, chequerboard, check-patterned"),
    "patched": _words("patched, patchy, cow-patterned, blotchy, piebald, pied"),
}
PATTERN_CLAUSES: dict[str, tuple[str, ...]] = {
    "plain": _words("with no pattern, without any pattern, with no markings, in one plain colour"),
    "striped": _words("with stripes, with bands, covered in stripes, with a striped pattern, wearing stripes"),
    "spotted": _words(
        "with spots, with dots, with polka dots, covered in spots, covered in dots, with a spotted pattern"
    ),
    "checked": _words(
        "with checks, with a checked pattern, covered in checks, with a checkerboard pattern, with squares"
    ),
    "patched": _words("with patches, with big patches, covered in patches, with a patchy coat, with large blotches"),
}
EXTRA_PATTERNS: dict[str, tuple[str, ...]] = {
    "plain": _words("unmarked, solid"),
    "striped": _words("stripes, bands, stripe, zebra stripes"),
    "spotted": _words("spots, dots, polka dots, freckled, speckles, spot, leopard print"),
    "checked": _words("checks, checkers, squares, plaid, tartan, gingham, chessboard, checker, chequers"),
    "patched": _words("patches, blotches, blotched, cow print, cow pattern, cow-like patches, skewbald, pinto"),
}

# Verb phrases by their base form; the first word is the one that is inflected.
VERBS: dict[str, tuple[str, ...]] = {
    "stand": _words(
        "stand, stand still, wait, sit still, pose, stay put, stand there, sit, stand around, stay still, stop, wait "
        "quietly, "
        "stand quietly, stand motionless, remain still, hold still, keep still, linger"
    ),
    "walk": _words(
        "walk, stroll, wander, trot, amble, march, plod, saunter, roam, walk along, pad along, toddle, walk about, "
        "waddle, hike, stride, trudge"
    ),
    "run": _words(
        "run, dash, sprint, race, gallop, bolt, rush, hurry, scamper, charge, tear along, run fast, scurry, jog, run "
        "along, zip along"
    ),
    "jump": _words(
        "jump, hop, leap, bounce, jump up and down, hop around, bound, spring up, hop along, skip, jump into the air,"
        " leap about, jump around, bounce up and down"
    ),
    "spin": _words(
        "spin, twirl, turn around, rotate, whirl, spin around, pirouette, turn in circles, spin in place, revolve, "
        "twirl around, spin in circles, swivel"
    ),
    "roll": _words("roll, tumble, roll along, roll over, roll around, somersault, roll over and over, roll forward"),
    "fly": _words(
        "fly, soar, hover, glide, float in the air, fly around, flutter, hang in the air, float through the air, fly "
        "through the air, levitate, take flight, glide through the air"
    ),
    "swim": _words(
        "swim, paddle, float on the water, swim along, splash through the water, bob in the waves, float, drift on "
        "the water, swim around, float on the waves, paddle along"
    ),
    "sleep": _words(
        "sleep, nap, snooze, doze, rest, lie asleep, slumber, take a nap, sleep peacefully, lie down, doze off, sleep"
        " soundly, snore, have a nap"
    ),
    "dance": _words(
        "dance, groove, boogie, sway, dance around, bust a move, sway to the music, do a little dance, dance happily,"
        " perform a dance, jive, shimmy"
    ),
    "drive": _words(
        "drive, cruise, speed, drive along, drive past, speed along, motor along, race along, cruise along, zoom "
        "along, drive fast"
    ),
    **antic_verbs.VERBS,
}  # fmt: skip
# Some subjects have verbs of their own, others would sound wrong with the general ones.
SUBJECT_VERBS: dict[tuple[str, str], tuple[str, ...]] = {
    ("boat", "swim"): _words(
        "sail, float, float on the water, sail along, bob in the waves, drift on the water, sail by, float on the "
        "waves, cruise over the water"
    ),
    ("ball", "swim"): _words(
        "float, float on the water, bob in the waves, drift on the water, float on the waves, bob up and down on the "
        "water"
    ),
    ("ball", "jump"): _words(
        "bounce, bounce up and down, jump, hop, bounce around, bounce along, leap, jump up and down"
    ),
    ("ball", "roll"): _words("roll, roll along, tumble, roll around, roll over and over, roll forward, keep rolling"),
    ("ball", "stand"): _words("stay still, lie still, sit still, sit, stay put, remain still, wait, stand, stop"),
    ("ball", "fly"): _words(
        "fly, soar, hover, float in the air, glide, fly through the air, sail through the air, levitate, fly around"
    ),
    ("car", "stand"): _words(
        "stand, wait, stay still, sit parked, stand still, stop, sit still, stand motionless, stay put, idle"
    ),
    ("train", "drive"): _words(
        "drive, chug along, speed along, steam along, drive along, chug past, puff along, speed, drive past"
    ),
    ("boat", "stand"): _words(
        "stand, wait, stay still, stand still, lie at anchor, stay put, stop, stand motionless, lie still"
    ),
    ("horse", "run"): _words(
        "gallop, run, race, dash, charge, bolt, canter, tear along, run fast, rush, run along, sprint"
    ),
    ("horse", "walk"): _words("walk, trot, amble, stroll, walk along, plod, wander, roam, stride, walk about"),
    ("sheep", "stand"): _words("stand, wait, stand still, stand there, stand around, stay still, stay put"),
    **dict.fromkeys(
        (("truck", "stand"), ("bus", "stand"), ("train", "stand")),
        _words("stand, wait, stay still, stand still, stop, sit still, stand motionless, stay put"),
    ),
    ("duck", "walk"): _words("walk, waddle, toddle, wander, stroll, walk along, waddle along, walk about, amble"),
    ("duck", "swim"): _words(
        "swim, paddle, float on the water, bob in the waves, swim along, paddle along, swim around"
    ),
    ("fish", "swim"): _words(
        "swim, swim along, swim around, glide through the water, splash through the water, swim through the water"
    ),
    ("fish", "stand"): _words("stay still, wait, hold still, keep still, stay put, remain still, stop"),
    ("fish", "fly"): _words("fly, float through the air, glide through the air, hover, swim through the air, soar"),
    ("rocket", "stand"): _words(
        "stand, wait, stand still, stand upright, stay still, stay put, stand motionless, stand ready"
    ),
    ("rocket", "fly"): _words("fly, soar, blast off, fly through the air, hover, take flight, rocket through the air"),
    **dict.fromkeys(
        (("balloon", "fly"), ("hot-air balloon", "fly")),
        _words(
            "fly, float in the air, drift through the air, hover, float through the air, hang in the air, soar, "
            "glide through the air"
        ),
    ),
    **dict.fromkeys(
        (("balloon", "stand"), ("hot-air balloon", "stand")),
        _words("stand, stay still, wait, stay put, stand still, hold still, remain still, stop"),
    ),
    **dict.fromkeys(
        (("balloon", "jump"), ("cube", "jump"), ("hot-air balloon", "jump")),
        _words("jump, bounce, bounce up and down, hop, jump up and down, bounce around"),
    ),
    ("balloon", "dance"): _words("dance, sway, dance around, wiggle, sway to the music, jive"),
    ("cube", "stand"): _words("stand, lie still, stay still, sit still, stay put, remain still, wait, stop"),
    ("cube", "roll"): _words("roll, tumble, roll along, roll over, tumble along, roll over and over, roll forward"),
    ("robot", "sleep"): _words("sleep, nap, rest, snooze, power down"),
    ("bird", "swim"): _words(
        "swim, paddle, float on the water, bob in the waves, swim along, paddle along, swim around"
    ),
    **antic_verbs.SUBJECT_VERBS,
    ("rabbit", "run"): _words(
        "run, dash, scamper, scurry, race, bolt, sprint, rush, hurry, run along, run fast, zip along"
    ),
}

_IRREGULAR: dict[str, tuple[str, str, str]] = {
    "stand": ("stands", "standing", "stood"), "sit": ("sits", "sitting", "sat"),
    "run": ("runs", "running", "ran"), "leap": ("leaps", "leaping", "leapt"),
    "spin": ("spins", "spinning", "spun"), "fly": ("flies", "flying", "flew"),
    "swim": ("swims", "swimming", "swam"), "sleep": ("sleeps", "sleeping", "slept"),
    "lie": ("lies", "lying", "lay"), "drive": ("drives", "driving", "drove"),
    "go": ("goes", "going", "went"), "do": ("does", "doing", "did"),
    "take": ("takes", "taking", "took"), "have": ("has", "having", "had"),
    "hold": ("holds", "holding", "held"), "keep": ("keeps", "keeping", "kept"),
    "speed": ("speeds", "speeding", "sped"), "tear": ("tears", "tearing", "tore"),
    "bust": ("busts", "busting", "busted"), "hang": ("hangs", "hanging", "hung"),
    "spring": ("springs", "springing", "sprang"), "stride": ("strides", "striding", "strode"),
    "be": ("is", "being", "was"), "boogie": ("boogies", "boogieing", "boogied"),
    "rise": ("rises", "rising", "rose"), "shake": ("shakes", "shaking", "shook"),
    "slide": ("slides", "sliding", "slid"), "read": ("reads", "reading", "read"),
    "ride": ("rides", "riding", "rode"), "swing": ("swings", "swinging", "swung"),
    "creep": ("creeps", "creeping", "crept"), "sing": ("sings", "singing", "sang"),
    "eat": ("eats", "eating", "ate"), "drink": ("drinks", "drinking", "drank"),
    "think": ("thinks", "thinking", "thought"), "hide": ("hides", "hiding", "hid"),
    "flee": ("flees", "fleeing", "fled"), "fall": ("falls", "falling", "fell"),
    "come": ("comes", "coming", "came"),
    "draw": ("draws", "drawing", "drew"), "feed": ("feeds", "feeding", "fed"),
    "say": ("says", "saying", "said"), "overturn": ("overturns", "overturning", "overturned"),
}  # fmt: skip
_DOUBLED = frozenset(
    _words(
        "trot, hop, jog, zip, skip, nap, plod, bob, pad, stop, snap, wag, chat, flit, scud, tip, drop, zigzag, pan, "
        "nod, swim, step, zip, flap, chat, jig, hug, squat, chug, skid, tip, wag, run, flip"
    )
)
_VOWELS = "aeiou"


def conjugate(phrase: str, form: Form) -> str:
    """The verb phrase with its first word in another form: conjugate("turn around", "ing") is "turning around"."""
    head, _, rest = phrase.partition(" ")
    inflected = _conjugate_word(head, form)
    return f"{inflected} {rest}" if rest else inflected


def _conjugate_word(word: str, form: Form) -> str:
    if form == "base":
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word][("third", "ing", "past").index(form)]
    consonant_y = word.endswith("y") and word[-2] not in _VOWELS
    if form == "third":
        if consonant_y:
            return word[:-1] + "ies"
        return word + ("es" if word.endswith(("s", "sh", "ch", "x", "z")) else "s")
    stem = word + word[-1] if word in _DOUBLED else word
    if form == "ing":
        return (word[:-1] if word.endswith("e") and not word.endswith(("ee", "oe")) else stem) + "ing"
    if consonant_y:
        return word[:-1] + "ied"
    return stem + ("d" if word.endswith("e") else "ed")


def verbs_of(kind: str, action: str) -> tuple[str, ...]:
    """The verb phrases that describe `action` of a subject of this kind, the plainest first."""
    return SUBJECT_VERBS.get((kind, action), VERBS[action])


def with_article(noun_phrase: str) -> str:
    """The phrase with "a" or "an" before it."""
    vowel = noun_phrase[0] in _VOWELS and not noun_phrase.startswith(("one-", "uni", "eu"))
    return f"{'an' if vowel else 'a'} {noun_phrase}"


# British spelling, which the tables use, and the American one; the parser reads both.
AMERICAN = {
    "colour": "color", "coloured": "colored", "grey": "gray", "cosy": "cozy", "centre": "center",
    "colourful": "colorful", "greyscale": "grayscale", "greyish": "grayish", "aeroplane": "airplane", "tyre": "tire",
}  # fmt: skip


def americanise(text: str) -> str:
    """The text in American spelling."""
    for british, american in AMERICAN.items():
        text = text.replace(british, american)
    return text
