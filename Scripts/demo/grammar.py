"""Writes short stories: a cast is drawn, then an opening, a plot of beats and an ending are filled in with it."""

import itertools
import random
import re
import sys

import openings
from lexicon import ADJECTIVES, ANIMALS, COLORS, PEOPLE, PLACES, SPOTS, THINGS, TIMES, WEATHER, Kind
from plots import FRIENDLY_ENDINGS, PLOTS, QUIET_ENDINGS, SLEEP, SNOW, STORM, WARNING

PRONOUNS = {"he": ("he", "him", "his"), "she": ("she", "her", "her")}
ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")
# After `?"` or `!"` the sentence goes on: `"Why?" asked the fox.`
SENTENCE_START = re.compile(r"(^\"?|\.\"? |[.!?] \"|[!?] (?!asked|said|called|thought|read))([a-z])")
SLOT = re.compile(r"\{(\w+)\}")


def article(noun_phrase: str) -> str:
    return ("an " if noun_phrase[0] in "aeiou" else "a ") + noun_phrase


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def plural(noun: str) -> str:
    irregular = {"mouse": "mice", "goose": "geese", "wolf": "wolves", "sheep": "sheep", "deer": "deer", "calf": "calves",
                 "man": "men", "woman": "women", "child": "children", "fox": "foxes", "butterfly": "butterflies",
                 "puppy": "puppies", "pony": "ponies", "donkey": "donkeys", "monkey": "monkeys", "princess": "princesses",
                 "ladybug": "ladybugs"}
    return irregular.get(noun, noun + "s")


class Story:
    """One story's cast and the slots it fills. The hero of the opening stays the subject to the end."""

    def __init__(self, rng: random.Random, kind: Kind | None = None):
        self.rng = rng
        pick = rng.choice
        # The animals that people try first are drawn more often.
        favourites = [animal for animal in ANIMALS if animal.noun in ("dog", "cat", "fox", "rabbit", "bear", "mouse", "bird")]
        pool = rng.random()
        self.kind = kind or (pick(favourites) if pool < 0.3 else pick(ANIMALS) if pool < 0.85 else pick(PEOPLE))
        hero_pronoun = self.kind.pronoun
        self.friend_kind = pick([animal for animal in ANIMALS if animal.pronoun != hero_pronoun])
        he, him, his = PRONOUNS[hero_pronoun]
        fhe, fhim, fhis = PRONOUNS["she" if hero_pronoun == "he" else "he"]
        self.adjective = pick(ADJECTIVES)
        noun, friend = self.kind.noun, self.friend_kind.noun
        place, place2 = rng.sample(PLACES, 2)
        spot, spot2 = rng.sample(SPOTS, 2)
        food, color, thing = pick(self.kind.foods), pick(COLORS), pick(THINGS)
        weather, name = pick(WEATHER), pick(self.kind.names)
        self.named = False
        self.times_told = 0
        self.friend_met = False
        self.thing_seen = False
        self.slots = {
            "he": he, "him": him, "his": his, "He": capitalized(he), "His": capitalized(his),
            "fhe": fhe, "fhim": fhim, "fhis": fhis, "fHe": capitalized(fhe),
            "kind": noun, "Kind": capitalized(noun), "Kinds": capitalized(plural(noun)), "Friendkind": capitalized(friend),
            "friendkind": friend, "kinds": plural(noun), "adjective": self.adjective, "name": name, "home": self.kind.home,
            "home_short": "the house", "place": place, "place2": place2, "spot": spot, "spot2": spot2,
            "spot_cap": capitalized(spot), "food": food, "foodbare": food.split(" ", 1)[1] if food.startswith("some ") else
            plural_food(food), "color": color, "thing_bare": thing, "weather": weather, "Weather": capitalized(weather),
            "sound": self.kind.sound, "Sound": capitalized(self.kind.sound), "time": pick(TIMES),
            "time2": pick(["One night", "One quiet night", "Late one evening", "One warm night"]),
            "snowtime": pick(["One morning", "One winter morning", "One cold day", "Early one morning"]),
            "a_bare": article(noun), "a_other": article(f"{pick(ADJECTIVES)} {noun}"),
            "friend": "the " + friend,
        }

    def fill(self, template: str) -> str:
        while ALTERNATIVES.search(template):
            template = ALTERNATIVES.sub(lambda match: self.rng.choice(match[1].split("|")), template)
        text = SLOT.sub(lambda match: self.slot(match[1]), template)
        text = re.sub(r"\b(a|A) (?=[aeiou])", r"\1n ", re.sub(r"\s+", " ", text).strip())
        return SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)

    def slot(self, key: str) -> str:
        rng, noun = self.rng, self.kind.noun
        if key == "hero":
            return self.slots["name"] if self.named and rng.random() < 0.6 else "the " + noun
        if key in ("a", "A"):
            return article(noun if rng.random() < 0.5 else f"{self.adjective} {noun}")
        if key == "name":
            self.named = True
        if key == "time":
            self.times_told += 1
            if self.times_told > 1:
                return rng.choice(["That day", "Later that day", "Then one day", "The next day", "A week later"])
        if key == "gait":
            return rng.choice(self.kind.gaits)
        if key == "gait2":
            return rng.choice(["went", "walked", "hurried"])
        if key in ("a_friend", "friend_intro"):
            if self.friend_met:
                return "the " + self.friend_kind.noun
            self.friend_met = True
            return article(self.friend_kind.noun)
        if key == "thing":
            plain = self.thing_seen or rng.random() < 0.3
            return self.slots["thing_bare"] if plain else f"{self.slots['color']} {self.slots['thing_bare']}"
        if key == "a_thing":
            self.thing_seen = True
            return article(f"{self.slots['color']} {self.slots['thing_bare']}")
        return self.slots[key]

    def opening(self) -> str:
        rng, roll = self.rng, self.rng.random()
        if roll < 0.82:
            # Half of the usual openings begin with the hero itself: "a dog ...", the first thing people type.
            own = openings.USUAL[:12] if rng.random() < 0.45 else openings.USUAL
            text = self.fill(rng.choice(own))
            return text[0].lower() + text[1:] if rng.random() < (0.45 if text[:2] in ("A ", "An") else 0.12) else text
        for limit, slot, words, replies in (
            (0.87, "greeting", openings.GREETINGS, openings.REPLIES_GREETING),
            (0.90, "request", openings.REQUESTS, openings.REPLIES_REQUEST),
            (0.93, "question", openings.QUESTIONS, openings.REPLIES_QUESTION),
            (0.96, "unfinished", openings.UNFINISHED, openings.REPLIES_UNFINISHED),
            (1.00, "strange", None, openings.REPLIES_STRANGE),
        ):
            if roll < limit:
                words = words or [self.strange()]
                typed = rng.choice(words)
                rest = self.fill(rng.choice(replies).replace("{" + slot + "}", "@"))
                return rest.replace("@", typed.lower() if rng.random() < 0.25 else typed, 1)
        return ""

    def strange(self) -> str:
        """What nobody expects at the start of a story: this kind's name alone, odd words, words that don't exist."""
        rng = self.rng
        if rng.random() < 0.3:
            return rng.choice([self.kind.noun, capitalized(self.kind.noun), plural(self.kind.noun)])
        words = rng.choices(openings.STRANGE, k=rng.randint(1, 6))
        if rng.random() < 0.5:
            made_up = "".join(rng.choice("bcdfghjklmnprstvwxz") + rng.choice("aeiouy") for _ in range(rng.randint(1, 4)))
            words[rng.randrange(len(words))] = made_up + rng.choice(["", "", "n", "st", "k", "rt"])
        text = " ".join(words)
        return capitalized(text) if rng.random() < 0.5 else text

    def write(self) -> str:
        rng = self.rng
        parts = [self.opening()]
        self.slots["place"], self.slots["place2"] = rng.sample(
            [place for place in PLACES if place != self.slots["place"]], 2)
        plot = rng.choice(PLOTS)
        if rng.random() < 0.25 and plot not in (SLEEP, SNOW):
            parts.append(self.fill(rng.choice([
                "{hero} was [small|shy|young|old], but {he} had a [big|warm|brave] heart.",
                "{hero} liked [to sing|to play|to run in the rain|to look at the clouds|to swim|to tell stories].",
                "Everyone [liked {him}|knew {him}|was kind to {him}].",
                "{He} had {a_thing} that {he} loved very much.",
            ])))
        parts += [self.fill(beat) for beat in plot]
        if rng.random() < 0.7:
            endings = QUIET_ENDINGS if plot in (SLEEP, STORM, WARNING) else FRIENDLY_ENDINGS
            parts.append(self.fill(rng.choice(endings)))
        elif rng.random() < 0.3:
            parts.append("The end.")
        return " ".join(part for part in parts if part)


def plural_food(food: str) -> str:
    noun = food.split(" ", 1)[1]
    if noun in ("fish",):
        return noun
    if noun.endswith("y"):
        return noun[:-1] + "ies"
    if noun.endswith("f"):
        return noun[:-1] + "ves"
    return noun + ("es" if noun.endswith(("o", "ch", "sh")) else "s") if noun != "leaf" else "leaves"


def stories(seed: int):
    """An endless stream of stories. Distinct seeds share no generator state, so held-out text comes from another seed."""
    rng = random.Random(seed)
    while True:
        yield Story(rng).write()


if __name__ == "__main__":
    for text in itertools.islice(stories(random.randrange(1 << 32)), int(sys.argv[1]) if sys.argv[1:] else 5):
        print(text)
