"""The words of the stories: who there is, where they live, what they eat and how they move."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    noun: str
    home: str
    foods: tuple[str, ...]
    gaits: tuple[str, ...]
    sound: str
    pronoun: str
    names: tuple[str, ...]


# Each kind has a pronoun and two names of its own, so that a small model learns who is who.
NAMES = {
    "he": """Rusty Milo Oscar Toby Max Sam Leo Ben Finn Otto Hugo Felix Bruno Jack Teddy Charlie Archie Tom Pip
        Biscuit""".split(),
    "she": """Ruby Luna Daisy Rosie Poppy Molly Lily Nora Ella Mia Clara Tilly Ivy Hazel Willow Olive Pearl Anna Button
        Maple""".split(),
}


def _kinds(table: str) -> list[Kind]:
    kinds, used = [], {"he": 0, "she": 0}
    for line in table.strip().splitlines():
        noun, home, foods, gaits, sound, *given = [field.strip() for field in line.split(";")]
        split = lambda field: tuple(part.strip() for part in field.split(","))
        pronoun = given[0] if given else min(used, key=used.get)
        start, names = used[pronoun], NAMES[pronoun]
        used[pronoun] += 2
        kinds.append(Kind(noun, home, split(foods), split(gaits), sound, pronoun,
                          (names[start % len(names)], names[(start + 1) % len(names)])))
    return kinds


ANIMALS = _kinds("""
dog; a kennel behind the farm; a bone, a sausage, some meat; ran, trotted, bounded; woof
puppy; a basket by the stove; a biscuit, some milk, a bone; ran, bounced, tumbled; yip
cat; a house with a blue door; some fish, some cream, some milk; walked, crept, padded; meow
kitten; a box of soft wool; some milk, some cream, a fish; crept, skipped, padded; mew
fox; a den under the hill; some berries, some cheese, an egg; ran, trotted, slipped; yap
rabbit; a burrow in the meadow; a carrot, some clover, some lettuce; hopped, ran, bounced; squeak
hare; a nest in the tall grass; some clover, a turnip, some grass; leaped, ran, hopped; squeak
mouse; a hole in the kitchen wall; some cheese, some crumbs, a nut; ran, crept, scurried; squeak
bear; a cave in the mountains; some honey, some berries, a fish; walked, stomped, wandered; growl
wolf; a cave near the forest; some soup, some meat, a pie; ran, trotted, wandered; howl
owl; an old oak tree; a plum, some soup, a pancake; flew, glided, fluttered; hoot
crow; a nest in a tall pine tree; some corn, a cherry, some bread; flew, flapped, hopped; caw
sparrow; a nest under the roof; some seeds, some crumbs, a berry; flew, fluttered, hopped; chirp
swift; a nest in the church tower; some seeds, a berry, a cherry; flew, raced, glided; cheep
robin; a nest in the apple tree; some seeds, some crumbs, a worm; flew, fluttered, hopped; tweet
bird; a nest in the garden; some seeds, some crumbs, a berry; flew, fluttered, hopped; tweet
parrot; a big green tree; a nut, a banana, some seeds; flew, flapped, climbed; squawk
duck; a nest by the pond; some bread, some corn, some peas; waddled, swam, walked; quack
goose; a hut by the lake; some grass, some corn, some bread; waddled, marched, walked; honk
swan; a nest by the lake; some bread, some grass, some corn; swam, glided, waddled; honk
hen; a red barn; some corn, some seeds, some bread; walked, ran, strutted; cluck; she
rooster; a red barn; some corn, some seeds, some bread; marched, ran, strutted; cock-a-doodle-doo; he
frog; a pond full of lilies; some soup, a plum, some jam; hopped, leaped, jumped; croak
turtle; a hut on the beach; some lettuce, some grass, a melon; walked, crawled, plodded; hum
snail; a flower pot in the garden; some lettuce, a leaf, a strawberry; crawled, slid, crept; hum
hedgehog; a pile of leaves; an apple, some berries, a mushroom; walked, trotted, waddled; snuffle
squirrel; a hollow tree; a nut, an acorn, some seeds; ran, jumped, climbed; chatter
badger; a house under the ground; a mushroom, some soup, an apple; walked, marched, trotted; grunt
otter; a house by the river; a fish, some soup, a pancake; swam, ran, slid; whistle
beaver; a house of sticks; some leaves, an apple, some soup; swam, walked, waddled; whistle
mole; a tunnel under the garden; some soup, a potato, a mushroom; crawled, walked, dug; snuffle
horse; a stable on the hill; some hay, an apple, a carrot; galloped, trotted, ran; neigh
pony; a green field; some hay, an apple, a carrot; galloped, trotted, ran; neigh
donkey; a stable near the mill; some hay, a carrot, a turnip; trotted, walked, plodded; hee-haw
cow; a green field; some grass, some hay, some clover; walked, wandered, plodded; moo; she
calf; a warm barn; some milk, some grass, some hay; ran, trotted, skipped; moo
pig; a sty by the river; some corn, a potato, a turnip; ran, trotted, rolled; oink
lamb; a field of flowers; some grass, some clover, some milk; skipped, ran, jumped; baa
sheep; a field of flowers; some grass, some clover, some hay; walked, trotted, wandered; baa
goat; a hut in the mountains; some grass, a turnip, a cabbage; climbed, jumped, trotted; baa
deer; a quiet valley; some grass, some leaves, an apple; ran, leaped, trotted; whistle
lion; a cave in the warm sand; some meat, some soup, a pie; walked, marched, ran; roar
tiger; a jungle by the river; some meat, some soup, a fish; ran, crept, padded; roar
elephant; a village in the jungle; a banana, some leaves, a melon; walked, marched, stomped; trumpet
monkey; a tall banana tree; a banana, a coconut, a nut; climbed, jumped, swung; chatter
giraffe; a valley of tall grass; some leaves, some grass, an apple; walked, ran, strolled; hum
camel; a tent in the desert; some dates, some hay, some grass; walked, plodded, strolled; grunt
panda; a forest of bamboo; some bamboo, some leaves, some rice; rolled, walked, climbed; squeak
koala; a tall gum tree; some leaves, some honey, some fruit; climbed, crept, walked; grunt
kangaroo; a valley of red sand; some grass, some leaves, some fruit; hopped, jumped, leaped; cough
penguin; a house of ice; a fish, some soup, an ice cream; waddled, slid, swam; honk
seal; a cave by the sea; a fish, some soup, an ice cream; swam, slid, rolled; bark
bee; a hive in the old pear tree; some honey, some nectar, some jam; flew, buzzed, danced; buzz
ant; a hill of sand; some crumbs, some sugar, a seed; marched, ran, crawled; hum
butterfly; a garden of roses; some nectar, some honey, some sugar; flew, fluttered, danced; hum
ladybug; a rose garden; some honey, some sugar, some jam; flew, crawled, walked; hum
bat; a dark cave; a plum, a peach, some fruit; flew, fluttered, glided; squeak
dragon; a castle on the mountain; a pie, some soup, some toast; flew, stomped, marched; roar
""")

PEOPLE = _kinds("""
boy; a small house in the village; some bread, an apple, some soup; ran, walked, skipped; laugh; he
girl; a small house by the sea; some bread, a pear, some soup; ran, walked, skipped; laugh; she
farmer; a farmhouse on the hill; some bread, some cheese, some soup; walked, marched, ran; whistle
baker; a warm shop in the village; a cake, some bread, a bun; walked, ran, strolled; whistle
sailor; a boat in the harbor; a fish, some soup, some bread; walked, marched, climbed; whistle
king; a castle of stone; a pie, some cake, some soup; walked, marched, rode; laugh; he
queen; a castle of white stone; a pie, some cake, some soup; walked, marched, rode; laugh; she
prince; a tall tower; a pie, some cake, some soup; ran, marched, rode; laugh; he
princess; a tall tower; a pie, some cake, some soup; ran, skipped, rode; laugh; she
knight; a castle by the river; some bread, a pie, some soup; rode, marched, walked; shout
wizard; a crooked tower; some soup, a mushroom, some tea; walked, wandered, hurried; cough
man; a house at the end of the road; some soup, some bread, some tea; walked, strolled, hurried; cough; he
woman; a house full of books; some soup, some bread, some tea; walked, strolled, hurried; laugh; she
child; a house with a yellow roof; some bread, an apple, some milk; ran, skipped, walked; giggle
teacher; a room over the school; some tea, some bread, an apple; walked, hurried, strolled; cough
gardener; a hut in the garden; some tea, a tomato, some bread; walked, wandered, strolled; whistle
robot; a room full of tools; some oil, some tea, some toast; rolled, walked, marched; beep
""")

ADJECTIVES = """little small young clever shy brave gentle cheerful curious kind quiet lazy funny old tiny happy lonely
sleepy friendly proud careful playful""".split()

PLACES = """the forest|the meadow|the river|the garden|the old mill|the lake|the village|the hill|the market|the beach
the orchard|the bridge|the pond|the valley|the farm|the harbor|the park|the big rock|the waterfall|the old well""".replace(
    "\n", "|").split("|")

SPOTS = """under a bush|behind a big stone|in the tall grass|near an old gate|between two trees|under the bridge
beside a fallen tree|at the end of the path|in a quiet corner|next to a mossy wall|in a heap of leaves|by the water""".replace(
    "\n", "|").split("|")

COLORS = "red blue green yellow white golden silver purple orange brown".split()

THINGS = """ball hat scarf kite bell drum cup button boat book lamp key ring blanket whistle basket spoon feather
umbrella mitten box toy bag ribbon bucket""".split()

WEATHER = """the sun was shining|the sky was blue|a soft wind was blowing|the air smelled of flowers|the snow was deep
the rain had just stopped|the leaves were falling|the birds were singing|the grass was wet with dew|there was fog on the fields
the clouds looked like sheep|the day was warm|the morning was cold and bright""".replace("\n", "|").split("|")

TIMES = """One morning|One day|One evening|One afternoon|One sunny day|One rainy day|One winter morning|One summer day
One spring day|One quiet night|Early one morning|Late one evening|One windy day|One cold day|On a warm day""".replace("\n", "|").split("|")
